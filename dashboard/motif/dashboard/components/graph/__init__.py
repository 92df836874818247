"""The provenance graph."""
