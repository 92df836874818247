"""Studies of a library: the request, the training, and the results kept in the ledger."""
