"""The query language: the same result from the command line, the library and the dashboard.

    operator = "xu" and material in ("PbTiO3", "BiFeO3") and scan_size <= 2 um
    and acquired_at >= 2019-01-01 and not outcome = "failed"

`parse` checks the text and returns a `Query`, which evaluates plain Python values (`Query.matches`,
the reference) or becomes an SQL condition of bound parameters (`Query.where`).
"""

from motif.core.query.language import Query, parse, pointer
from motif.core.query.nodes import BUILT_IN, LABEL

__all__ = ["BUILT_IN", "LABEL", "Query", "parse", "pointer"]
