"""Verifies that what the catalog names is what the store holds."""

from __future__ import annotations

import hashlib

import numpy as np

from motif.core.catalog import MeasurementRow
from motif.core.errors import NotFoundError
from motif.core.layout import measurement_id
from motif.core.ledger import result_group
from motif.core.progress import Progress
from motif.core.store import Snapshot
from motif.core.workspace import Workspace


def check_workspace(workspace: Workspace, progress: Progress) -> list[str]:
    """Problems found, one sentence each; empty when every byte is where it should be."""
    problems: list[str] = []
    snapshot = workspace.store.snapshot()
    if snapshot.journal_length != workspace.catalog.journal_length:
        problems.append(
            f"The catalog has applied {workspace.catalog.journal_length} of "
            f"{snapshot.journal_length} journal lines."
        )
    rows = sorted(workspace.select(), key=lambda row: (row.array, row.row))
    progress.expect(len(rows))
    for row in rows:
        problem = _check_row(workspace, row)
        if problem:
            problems.append(problem)
        progress.advance()
    return problems + _missing_arrays(snapshot)


def _missing_arrays(snapshot: Snapshot) -> list[str]:
    """Results whose arrays are gone; labels and notes are results without any."""
    problems = []
    for _, line in snapshot.journal(0):
        if "arrays" not in line:
            continue
        made = line["derivation"]
        gone = set(line["arrays"]).difference(
            snapshot.names(result_group(made["stage"], made["id"]))
        )
        if gone:
            names = ", ".join(sorted(gone))
            problems.append(f"Of {made['stage']} {made['id']} these arrays are missing: {names}.")
    return problems


def _check_row(workspace: Workspace, row: MeasurementRow) -> str | None:
    snapshot = workspace.store.snapshot()
    try:
        values = np.asarray(snapshot.array(row.array)[row.row])
    except (NotFoundError, IndexError):
        return f"Measurement {row.id} ({row.title}) is missing at {row.array}[{row.row}]."
    if measurement_id(row.record_id, row.key, row.kind, row.layout, values) != row.id:
        digest = hashlib.sha256(values.tobytes()).hexdigest()[:12]
        return f"Measurement {row.id} ({row.title}) does not match its bytes (sha256 {digest})."
    return None
