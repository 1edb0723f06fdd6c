"""The bank's data: contracts, sources, writers, importers, synthetic bank, ingestion."""
