"""Similarity search over images and spectra, exact under any metadata filter."""

from motif.analysis.search.find import Hit, search
from motif.analysis.search.index import Index
from motif.analysis.search.question import Region
from motif.analysis.search.sharing import Shared, shared_facets

__all__ = ["Hit", "Index", "Region", "Shared", "search", "shared_facets"]
