"""A simulated lab: scans and a library of known truth, marked simulated throughout."""
