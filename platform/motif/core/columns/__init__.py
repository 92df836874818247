"""Facets of a collection as columns in memory, on which queries are evaluated at once."""
