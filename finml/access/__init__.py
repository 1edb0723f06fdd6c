"""Who may call the service, for what, and how much: API keys, bearer tokens, rate limits, quotas."""
