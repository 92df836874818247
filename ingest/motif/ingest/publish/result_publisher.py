"""Writes results of the ledger to DataFed as records that state what they were computed from.

A result is one record with one file. It is found by its alias, so publishing twice has the same
effect as publishing once, and the next call completes an interrupted publication.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motif.core.errors import SourceError
from motif.core.records import content_id
from motif.core.workspace import Workspace
from motif.ingest.datafed.datafed_errors import RefusedError
from motif.ingest.datafed.datafed_source import OWN_MARK
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import DEPENDENCIES, RecordDraft
from motif.ingest.publish import result_files
from motif.ingest.publish.destination import Destination
from motif.ingest.publish.ledger_results import (
    RecordOrigin,
    Result,
    derived_inputs,
    origin_records,
)
from motif.ingest.publish.record_metadata import fit_metadata
from motif.ingest.sync.scratch import scratch_folder

DEPENDENCIES_PER_REQUEST = 500
SHRINKABLE = (
    (OWN_MARK, "summary"), (OWN_MARK, "parameters"), (OWN_MARK, "file", "arrays"),
    (OWN_MARK, "inputs"), (OWN_MARK,),
)  # fmt: skip
"""Parts of a result's metadata that may be shortened: the file holds them in full."""


@dataclass
class Publication:
    """What one publication did."""

    record: str
    """Id of the result's record."""
    created: bool
    uploaded: bool
    depends_on: int
    """Records of the same server it was computed from."""
    elsewhere: int
    """Records it was computed from that are on other servers or deleted."""
    version_of: str = ""
    figures: list[str] = field(default_factory=list)
    """Ids of the figures' records."""
    figures_failed: list[str] = field(default_factory=list)
    """Why figures are missing, one sentence for each failed plugin."""
    inputs: list[str] = field(default_factory=list)
    """Records of the results it was computed from, where these were published too."""


def publish_result(
    workspace: Workspace,
    result: Result,
    target: Destination,
    *,
    with_inputs: bool = False,
    with_figures: bool = True,
) -> Publication:
    """Publish one result into a collection.

    Args:
        workspace: the workspace of the result.
        result: the result.
        target: the collection.
        with_inputs: first publish the results this one was computed from, and depend on them.
        with_figures: also publish its figures, each as a record derived from the result.

    Raises:
        SourceError: the server cannot be used or refuses; the next call completes what was begun.
    """
    inputs = [
        publish_result(
            workspace, Result((derivation,)), target, with_inputs=True, with_figures=False
        ).record
        for derivation in (derived_inputs(workspace, result) if with_inputs else ())
    ]
    origins = origin_records(workspace, result.inputs)
    local = [origin for origin in origins if _is_on_server(origin, target)]
    dependencies = [("der", record) for record in inputs]
    dependencies += [("der", origin.native_id) for origin in local]
    figures: list[str] = []
    failures: list[str] = []
    with scratch_folder(workspace.cache, "publish") as folder:
        document = _document(workspace, result, origins, target)
        path = folder / f"{result.newest.stage}-{result.id[:12]}{result_files.SUFFIX}"
        file = _write_file(path, workspace, result, document)
        mark = {**document, "file": file}
        mark["inputs"] = {key: document["inputs"][key] for key in ("count", "elsewhere")}
        simulated = _is_simulated(result, origins)
        record, created, former = _ensure_record(target, result, mark, simulated)
        missing = _add_dependencies(target, record, dependencies)
        uploaded = _upload(target, record, path, file)
        if with_figures and len(result.parts) == 1:
            paths, failures = result_files.write_figures(workspace, result.newest, folder)
            figures = [
                _publish_figure(result, target, record, name, figure, simulated)
                for name, figure in paths.items()
            ]
    return Publication(
        record=record["id"],
        created=created,
        uploaded=uploaded,
        depends_on=len(local) - len(missing),
        elsewhere=len(origins) - len(local) + len(missing),
        version_of=former,
        figures=figures,
        figures_failed=failures,
        inputs=inputs,
    )


def _is_on_server(origin: RecordOrigin, target: Destination) -> bool:
    return origin.live and origin.server == target.server and origin.native_id.startswith("d/")


def _document(
    workspace: Workspace, result: Result, origins: Sequence[RecordOrigin], target: Destination
) -> dict[str, Any]:
    tainted = {derivation.id for derivation in workspace.ledger.tainted()}
    elsewhere = [origin for origin in origins if not _is_on_server(origin, target)]
    return {
        "what": "result",
        **result.document(),
        "tainted": any(part.id in tainted for part in result.parts),
        "inputs": {
            "count": len(origins),
            "elsewhere": [f"{origin.server} {origin.native_id}".strip() for origin in elsewhere],
            "records": [origin.record_id for origin in origins],
        },
    }


def _write_file(
    path: Path, workspace: Workspace, result: Result, document: dict[str, Any]
) -> dict[str, Any]:
    """Write the result's file, without values that change, so that its bytes stay the same."""
    arrays = result.arrays(workspace)
    lasting = {key: value for key, value in document.items() if key not in ("tainted", "code")}
    lasting["inputs"] = {key: document["inputs"][key] for key in ("count", "records")}
    digest = result_files.write_arrays(path, arrays, lasting)
    return {
        "name": path.name, "format": result_files.FORMAT, "size": path.stat().st_size,
        "sha256": digest, "arrays": result_files.describe_arrays(arrays),
    }  # fmt: skip


def _is_simulated(result: Result, origins: Sequence[RecordOrigin]) -> bool:
    return any(part.summary.get("simulated") for part in result.parts) or any(
        origin.simulated for origin in origins
    )


def _ensure_record(
    target: Destination, result: Result, mark: dict[str, Any], simulated: bool
) -> tuple[dict[str, Any], bool, str]:
    """The record of a result, created where missing: record, whether created, former version."""
    alias = f"motif-{result.id}"
    existing = target.client.find(alias, target.owner)
    if existing is not None:
        return _updated(target, existing, mark), False, ""
    former = _former_version(target, result)
    newest = result.newest
    metadata, trimmed = fit_metadata({OWN_MARK: mark, **_simulated_mark(simulated)}, SHRINKABLE)
    if trimmed:
        metadata[OWN_MARK]["trimmed"] = sorted(_dotted_paths(trimmed.get(OWN_MARK, {})))[:20]
    draft = RecordDraft(
        title=_title(newest.stage, newest.collection, result.id),
        metadata=metadata,
        description=f"Computed by Motif from {mark['inputs']['count']} records; the file holds its "
        "arrays and how they were computed.",
        tags=["motif", *_simulated_mark(simulated)],
        alias=alias,
        dependencies=[("ver", former)] if former else [],
    )
    return target.client.create_record(draft, target.collection), True, former


def _updated(target: Destination, existing: dict[str, Any], mark: dict[str, Any]) -> dict[str, Any]:
    """An existing record, updated with what may have changed about the same result."""
    former = existing["metadata"].get(OWN_MARK, {})
    changes: dict[str, Any] = {"tainted": mark["tainted"]}
    if former.get("file", {}).get("sha256") != mark["file"]["sha256"]:
        changes["file"] = mark["file"]
        existing["size"] = -1  # the bytes are of an earlier layout of the file
    if any(former.get(key) != value for key, value in changes.items()):
        target.client.update_record(existing["id"], metadata={OWN_MARK: changes})
    return existing


def _former_version(target: Destination, result: Result) -> str:
    """Newest record in the collection with an older result of the same line; empty for none."""
    items = [item.id for item in target.client.items(target.collection) if item.id[:2] == "d/"]
    older = [
        (mark["created_at"], record["created"], record["id"])
        for record in target.client.records(items)
        if isinstance(mark := record["metadata"].get(OWN_MARK), dict)
        and mark.get("line") == result.line
        and mark.get("what") == "result"
        and str(mark.get("created_at", "")) < result.newest.created_at
    ]
    return max(older)[2] if older else ""


def _add_dependencies(
    target: Destination, record: dict[str, Any], wanted: Sequence[tuple[str, str]]
) -> list[str]:
    """Add missing (type, record id) dependencies; returns ids of records that no longer exist."""
    present = {(item["type"], item["id"]) for item in record["dependencies"]}
    missing = [dependency for dependency in dict.fromkeys(wanted) if dependency not in present]
    gone: list[str] = []
    for start in range(0, len(missing), DEPENDENCIES_PER_REQUEST):
        chunk = missing[start : start + DEPENDENCIES_PER_REQUEST]
        try:
            target.client.update_record(record["id"], add_dependencies=chunk)
        except RefusedError:
            ids = [record_id for _, record_id in chunk]
            existing = {item["id"] for item in target.client.records(ids)}
            valid = [dependency for dependency in chunk if dependency[1] in existing]
            if len(valid) == len(chunk):
                raise
            gone += [record_id for record_id in ids if record_id not in existing]
            if valid:
                target.client.update_record(record["id"], add_dependencies=valid)
    return gone


def _upload(target: Destination, record: dict[str, Any], path: Path, file: dict[str, Any]) -> bool:
    """Upload the file of a record unless the server has it; whether it was uploaded."""
    if record["size"] == file["size"]:
        return False
    for _, _, failure in upload(target.client, [(record["id"], path)]):
        if failure is not None:
            raise SourceError(f"{str(failure).rstrip('.')}; publish again to complete it.")
    return True


def _simulated_mark(simulated: bool) -> dict[str, bool]:
    """Metadata of a record of simulated data; the key is also its tag."""
    return {"simulated": True} if simulated else {}


def _publish_figure(
    result: Result,
    target: Destination,
    record: dict[str, Any],
    name: str,
    path: Path,
    simulated: bool,
) -> str:
    """Publish one figure as a record derived from the result's record; returns its id."""
    identity = content_id(result.id, "figure", name)
    file = {"name": path.name, "format": "html", "size": path.stat().st_size}
    alias = f"motif-fig-{identity[:30]}"
    existing = target.client.find(alias, target.owner)
    if existing is None:
        mark = {"what": "figure", "figure": name, "derivation": result.id, "file": file}
        draft = RecordDraft(
            title=_title(name, result.newest.collection, identity),
            metadata={OWN_MARK: mark, **_simulated_mark(simulated)},
            tags=["motif", *_simulated_mark(simulated)],
            alias=alias,
        )
        existing = target.client.create_record(draft, target.collection)
    _add_dependencies(target, existing, [(DEPENDENCIES[0], record["id"])])
    _upload(target, existing, path, file)
    return str(existing["id"])


def _title(subject: str, collection: str, identity: str) -> str:
    """A title that is unique in the collection: DataFed would rename equal ones."""
    of_collection = f" of {collection}" if collection else ""
    return f"{subject}{of_collection}"[:60] + f" ({identity[:8]})"


def _dotted_paths(removed: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted paths of removed metadata, two levels deep."""
    paths = []
    for key, value in removed.items():
        if isinstance(value, dict) and not prefix:
            paths += _dotted_paths(value, f"{key}.") or [key]
        else:
            paths.append(f"{prefix}{key}")
    return paths
