"""Load tests with Locust, run headless against a budget: `finml loadtest SCENARIO`."""
