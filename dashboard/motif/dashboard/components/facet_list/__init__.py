"""Facets with counts and histograms, to filter by."""
