"""Labels and notes that people put on measurements: who, when, and what they are on now.

Each is a derivation of the stage ``label``: inputs are the measurements, parameters say what was
put on or taken off, by whom and when. They lie in the store's journal as every result does.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from motif.core.catalog import Derivation, now
from motif.core.errors import ConfigError
from motif.core.workspace import Workspace
from motif.dashboard.facets import Column, FacetTable

STAGE = "label"
FACET = "label"
LONGEST_LABEL = 60
LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Note:
    """Words on one measurement."""

    text: str
    who: str
    at: str


def put_label(workspace: Workspace, collection: str, ids: Sequence[str], text: str) -> None:
    """Put a label on measurements."""
    _record(workspace, collection, ids, {"action": "put", "label": checked(text, LONGEST_LABEL)})


def take_label(workspace: Workspace, collection: str, ids: Sequence[str], text: str) -> None:
    """Take a label off measurements."""
    _record(workspace, collection, ids, {"action": "take", "label": checked(text, LONGEST_LABEL)})


def put_note(workspace: Workspace, collection: str, ids: Sequence[str], text: str) -> None:
    """Write a note on measurements."""
    _record(workspace, collection, ids, {"action": "put", "note": checked(text, LONGEST_NOTE)})


def checked(text: str, longest: int) -> str:
    """The words without what cannot be seen; `ConfigError` when nothing or too much is left."""
    seen = "".join(c for c in text if c.isprintable() or c == "\n").strip()
    if not seen or len(seen) > longest:
        raise ConfigError(f"Write 1 to {longest} characters; these are {len(seen)}.")
    return seen


def person() -> str:
    """Who is looking: the account signed in with, else the account the server runs as."""
    told = st.user.get("email") or st.user.get("name")
    if told:
        return str(told)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "unknown"


def labels_on(made: Sequence[Derivation]) -> dict[str, set[str]]:
    """Measurement id -> labels on it, from everything put on and taken off, oldest first."""
    found: dict[str, set[str]] = {}
    for one in made:
        label = one.parameters.get("label")
        if label is None:
            continue
        for identity in one.inputs:
            labels = found.setdefault(identity, set())
            (labels.add if one.parameters["action"] == "put" else labels.discard)(str(label))
    return {identity: labels for identity, labels in found.items() if labels}


def notes_on(made: Sequence[Derivation]) -> dict[str, list[Note]]:
    """Measurement id -> notes on it, oldest first."""
    found: dict[str, list[Note]] = {}
    for one in made:
        if "note" in one.parameters:
            p = one.parameters
            note = Note(str(p["note"]), str(p["who"]), str(p["at"]))
            for identity in one.inputs:
                found.setdefault(identity, []).append(note)
    return found


def labelled(table: FacetTable, on: Mapping[str, set[str]]) -> FacetTable:
    """The table with the labels as one more facet, of which a measurement may have several."""
    here = {table.index[one]: labels for one, labels in on.items() if one in table.index}
    if not here:
        return table
    names = sorted(set().union(*here.values()))
    member = np.zeros((len(names), len(table)), np.bool_)
    for row, labels in here.items():
        for label in labels:
            member[names.index(label), row] = True
    codes = np.where(member.any(axis=0), member.argmax(axis=0), -1).astype(np.int32)
    column = Column(FACET, "category", "", names, codes, np.full(len(table), np.nan), member)
    return replace(table, columns={FACET: column, **table.columns})


def _record(
    workspace: Workspace, collection: str, ids: Sequence[str], parameters: dict[str, str]
) -> None:
    if not ids:
        raise ConfigError("No measurement is chosen; choose some first.")
    said = {**parameters, "who": person(), "at": now()}
    workspace.ledger.record(STAGE, collection, said, list(ids), {}, {"count": len(ids)}, 0.0)
