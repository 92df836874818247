"""DataFed as a source of records: client wrapper, change feed and transfers."""
