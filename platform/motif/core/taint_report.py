"""What is told of records marked with an error and of the results made from them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from motif.core.catalog import Derivation
from motif.core.rebuilding import question, rebuild_command
from motif.core.records import ID_LENGTH
from motif.core.workspace import Workspace


def taint_document(workspace: Workspace) -> dict[str, Any]:
    """``records`` (id -> why) and ``results`` that are tainted and not rebuilt since.

    Of results that answer the same question the newest is told, with their number under ``count``.
    """
    records = workspace.marked_records()
    groups: dict[tuple[str, str, str], list[Derivation]] = {}
    tainted = workspace.ledger.tainted() if records else []
    for one in tainted:
        groups.setdefault((one.stage, one.collection, question(one)), []).append(one)
    known = {one.id for one in tainted}
    results = []
    for (stage, collection, asked), ones in groups.items():
        alike = [one for one in workspace.ledger.all(stage, collection) if question(one) == asked]
        if alike[-1].id in known:
            results.append(
                {
                    "id": ones[-1].id, "stage": stage, "collection": collection,
                    "count": len(ones), "rebuild": rebuild_command(ones[-1]),
                }
            )  # fmt: skip
    return {"records": records, "results": results}


def result_document(workspace: Workspace, identity: str) -> dict[str, Any] | None:
    """A derived result with its inputs, or None where `identity` is none."""
    if len(identity) != ID_LENGTH or not workspace.ledger.holds(identity):
        return None
    one = workspace.ledger.get(identity)
    tainted = any(bad.id == identity for bad in workspace.ledger.tainted())
    arrays = workspace.ledger.arrays(one)
    return {
        **asdict(one),
        "arrays": list(arrays),
        "tainted": tainted,
        "rebuild": rebuild_command(one) if tainted else "",
        "derived": [{"id": d.id, "stage": d.stage} for d in workspace.ledger.made_from(identity)],
    }
