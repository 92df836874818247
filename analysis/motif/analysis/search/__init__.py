"""Similarity search over images and spectra, exact under any metadata filter."""

from motif.analysis.search.find import Hit, search
from motif.analysis.search.index import Index
from motif.analysis.search.question import Region

__all__ = ["Hit", "Index", "Region", "search"]
