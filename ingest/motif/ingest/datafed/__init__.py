"""DataFed as a source of records: client wrapper, change detection and file transfers."""
