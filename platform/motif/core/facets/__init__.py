"""Facets: rules that map headers and metadata, times in UTC, personal data, remapping."""
