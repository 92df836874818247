"""Similarity search over images and spectra, exact under any metadata filter."""

from motif.analysis.search.confounding import Alarm
from motif.analysis.search.find import Hit, search
from motif.analysis.search.index import Index
from motif.analysis.search.question import Region
from motif.analysis.search.sharing import Shared, shared_facets
from motif.analysis.search.telling import Telling, alarm, facets_of_answer

__all__ = [
    "Alarm",
    "Hit",
    "Index",
    "Region",
    "Shared",
    "Telling",
    "alarm",
    "facets_of_answer",
    "search",
    "shared_facets",
]
