"""Sources, readers, the DataFed client and the local sandbox server."""
