"""Checks that what the catalog names is what the store contains."""

from __future__ import annotations

import hashlib

import numpy as np

from motif.core.catalog.rows import MeasurementRow
from motif.core.errors import NotFoundError
from motif.core.jobs.progress import Progress
from motif.core.provenance.ledger import result_group
from motif.core.store.array_layout import measurement_id
from motif.core.store.repository import Snapshot
from motif.core.workspace import Workspace


def check_workspace(workspace: Workspace, progress: Progress) -> list[str]:
    """Problems of a workspace, one sentence each; empty when every value is as it was stored."""
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
        problem = _row_problem(snapshot, row)
        if problem:
            problems.append(problem)
        progress.advance()
    return problems + _missing_arrays(snapshot)


def _missing_arrays(snapshot: Snapshot) -> list[str]:
    """One sentence for each result whose arrays are missing; labels and notes have none."""
    problems = []
    for _, line in snapshot.journal(0):
        if "arrays" not in line:
            continue
        result = line["derivation"]
        stored = snapshot.names(result_group(result["stage"], result["id"]))
        missing = set(line["arrays"]).difference(stored)
        if missing:
            names = ", ".join(sorted(missing))
            problems.append(
                f"Of {result['stage']} {result['id']} these arrays are missing: {names}."
            )
    return problems


def _row_problem(snapshot: Snapshot, row: MeasurementRow) -> str | None:
    try:
        values = np.asarray(snapshot.array(row.array)[row.row])
    except (NotFoundError, IndexError):
        return f"Measurement {row.id} ({row.title}) is missing at {row.array}[{row.row}]."
    if measurement_id(row.record_id, row.key, row.kind, row.layout, values) != row.id:
        digest = hashlib.sha256(values.tobytes()).hexdigest()[:12]
        return f"Measurement {row.id} ({row.title}) does not match its bytes (sha256 {digest})."
    return None
