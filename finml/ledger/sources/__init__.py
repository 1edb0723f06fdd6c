"""One source a kind of ledger; `finml.ledger.source.open_source` picks the right one."""
