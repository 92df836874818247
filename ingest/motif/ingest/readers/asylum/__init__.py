"""Reader of Asylum scans: Igor binary waves with a note."""
