"""What every part of Motif agrees on: records, contracts, store, catalog, ledger, jobs."""
