"""Journal lines in their present spelling, whatever version of Motif wrote them.

The journal is append-only, so lines keep the keys of the version that wrote them. A key that is
renamed is added to the tables below, and every reader of the journal sees the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]

RECORD_KEYS = {"told_title": "raw_title", "notes": "warnings"}
MEASUREMENT_KEYS = {
    "told_title": "raw_title", "facts": "raw_facets", "outlines": "content_signatures",
}  # fmt: skip
FACET_KEYS = {"told": "raw_text"}
ORIGIN_TEXTS = {", zone not told: taken as ": ", zone not stated: taken as "}
"""Parts of the origin of a facet that are worded differently now."""
STAGE_NAMES = {"joining": "feature-fusion", "model-steadiness": "model-invariance"}
"""Former names of stages; the store keeps arrays of their results under the former name."""
RESULT_KEYS: Mapping[str, Mapping[str, str]] = {}
"""Stage -> former keys of the parameters and summaries of its results, with the present ones."""
ANNOTATION_ACTIONS = {"put": "add", "take": "remove"}
"""Values of the parameter ``action`` of labels and notes."""
FORMER_TABLES = ("facts", "outlines", "remarks")
"""Tables of earlier schema versions, dropped when a catalog is rebuilt."""
ANNOTATION_STAGE = "label"
"""Stage of labels and notes, both."""
NOTE = "note"
"""Kind of an annotation that is free text; the other kind is `motif.core.query.LABEL`."""


def current_line(line: Mapping[str, Any]) -> Document:
    """A journal line with present keys; one that has them already is returned equal."""
    current = dict(line)
    if current.get("what") == "sync":
        current["records"] = [_current_record(record) for record in line["records"]]
    elif "derivation" in current:
        current["derivation"] = _current_result(line["derivation"])
    return current


def _current_record(record: Mapping[str, Any]) -> Document:
    current = _renamed(record, RECORD_KEYS)
    current["measurements"] = [_current_measurement(each) for each in record["measurements"]]
    return current


def _current_measurement(measurement: Mapping[str, Any]) -> Document:
    current = _renamed(measurement, MEASUREMENT_KEYS)
    for key in ("facets", "raw_facets"):
        if key in current:
            current[key] = [_current_facet(facet) for facet in current[key]]
    return current


def _current_facet(facet: Mapping[str, Any]) -> Document:
    current = _renamed(facet, FACET_KEYS)
    for former, present in ORIGIN_TEXTS.items():
        current["origin"] = current["origin"].replace(former, present)
    return current


def _current_result(result: Mapping[str, Any]) -> Document:
    current = dict(result)
    current["stage"] = STAGE_NAMES.get(result["stage"], result["stage"])
    names = RESULT_KEYS.get(current["stage"])
    if names:
        for key in ("parameters", "summary"):
            current[key] = _renamed(result[key], names)
    if result["stage"] == ANNOTATION_STAGE:
        action = result["parameters"]["action"]
        current["parameters"] = {
            **result["parameters"], "action": ANNOTATION_ACTIONS.get(action, action),
        }  # fmt: skip
    return current


def former_stage(stage: str) -> str | None:
    """The name a stage had before it was renamed; None where it has always had this one."""
    return next((former for former, name in STAGE_NAMES.items() if name == stage), None)


def _renamed(document: Mapping[str, Any], names: Mapping[str, str]) -> Document:
    return {names.get(key, key): value for key, value in document.items()}
