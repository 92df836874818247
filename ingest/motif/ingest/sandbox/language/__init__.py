"""The metadata query language: an expression over a record and its metadata.

``rewrite`` reads the text as the service does (character by character, quirks included) and gives
an AQL expression over the record ``i``; ``parse`` turns that into a function of a record.
"""

from __future__ import annotations

from motif.ingest.sandbox.language.parser import Expression, parse
from motif.ingest.sandbox.language.rewrite import QuerySyntaxError, rewrite
from motif.ingest.sandbox.language.values import EvaluationError, truth

__all__ = [
    "EvaluationError",
    "Expression",
    "QuerySyntaxError",
    "compile_query",
    "parse",
    "rewrite",
    "truth",
]


def compile_query(text: str) -> Expression:
    """Compile a metadata expression.

    Returns:
        a function of a record document (keys ``title``, ``ut``, ``md``, ...) that gives the
        expression's value; `truth` of it says whether the record matches.

    Raises:
        QuerySyntaxError: the text is not an expression of the language.
    """
    return parse(rewrite(text))
