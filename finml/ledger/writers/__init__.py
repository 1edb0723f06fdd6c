"""One writer a kind of ledger; `finml.ledger.writer.open_writer` picks the right one."""
