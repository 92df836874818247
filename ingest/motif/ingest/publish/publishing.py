"""Writes results of the ledger to DataFed as records that say what they were made from.

A result is one record with one file. It is found again by its alias, so publishing twice is
publishing once, and an interrupted publication is completed by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motif.core.errors import SourceError
from motif.core.records import content_id
from motif.core.workspace import Workspace
from motif.ingest.datafed.documents import DEPENDENCIES
from motif.ingest.datafed.drafting import Draft
from motif.ingest.datafed.errors import RefusedError
from motif.ingest.datafed.source import OWN_MARK
from motif.ingest.datafed.transfer import upload
from motif.ingest.passing import passing_folder
from motif.ingest.publish import bundle, figures
from motif.ingest.publish.results import Origin, Result, derived_inputs, origins
from motif.ingest.publish.target import Target
from motif.ingest.publish.trimming import fit

DEPENDENCIES_PER_REQUEST = 500
PLACES = (
    (OWN_MARK, "summary"), (OWN_MARK, "parameters"), (OWN_MARK, "file", "arrays"),
    (OWN_MARK, "inputs"), (OWN_MARK,),
)  # fmt: skip
"""Where metadata of a result may shrink: the file holds all of it."""


@dataclass
class Published:
    """What one publication did."""

    record: str
    """Id of the result's record."""
    created: bool
    uploaded: bool
    depends_on: int
    """Records of the same server it was made from."""
    elsewhere: int
    """Records it was made from that live elsewhere or are gone."""
    version_of: str = ""
    figures: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    """Records of the results it was made from, where these were published too."""


def publish(
    workspace: Workspace,
    result: Result,
    target: Target,
    *,
    with_inputs: bool = False,
    with_figures: bool = True,
) -> Published:
    """Publish one result into a collection.

    Args:
        with_inputs: first publish the results this one was made from, and depend on them.
        with_figures: also publish its figures, each as a record derived from the result.

    Raises:
        SourceError: the server cannot be used or refuses; what was written is completed by the
            next call.
    """
    before = [
        publish(workspace, Result((one,)), target, with_inputs=True, with_figures=False).record
        for one in (derived_inputs(workspace, result) if with_inputs else ())
    ]
    far = origins(workspace, result.inputs)
    here = [one for one in far if _is_here(one, target)]
    wanted = [("der", record) for record in before]
    wanted += [("der", one.native_id) for one in here]
    with passing_folder(workspace.cache, "publish") as folder:
        document = _document(workspace, result, far, target)
        path = folder / f"{result.newest.stage}-{result.id[:12]}{bundle.SUFFIX}"
        file = _write(path, workspace, result, document)
        told = {**document, "file": file}
        told["inputs"] = {key: document["inputs"][key] for key in ("count", "elsewhere")}
        simulated = _is_simulated(result, far)
        record, created, former = _record(target, result, told, simulated)
        gone = _depend(target, record, wanted)
        uploaded = _bring(target, record, path, file)
        drawn = (
            _figures(workspace, result, target, record, folder, simulated) if with_figures else []
        )
    elsewhere = len(far) - len(here) + len(gone)
    return Published(
        record["id"], created, uploaded, len(here) - len(gone), elsewhere, former, drawn, before
    )


def _is_here(one: Origin, target: Target) -> bool:
    return one.live and one.server == target.server and one.native_id.startswith("d/")


def _document(
    workspace: Workspace, result: Result, far: Sequence[Origin], target: Target
) -> dict[str, Any]:
    tainted = {one.id for one in workspace.ledger.tainted()}
    elsewhere = [one for one in far if not _is_here(one, target)]
    return {
        "what": "result",
        **result.document(),
        "tainted": any(part.id in tainted for part in result.parts),
        "inputs": {
            "count": len(far),
            "elsewhere": [f"{one.server} {one.native_id}".strip() for one in elsewhere],
            "records": [one.record_id for one in far],
        },
    }


def _write(
    path: Path, workspace: Workspace, result: Result, document: dict[str, Any]
) -> dict[str, Any]:
    """The result's file: only what stays as it is, so that it is the same file next time."""
    arrays = result.arrays(workspace)
    lasting = {key: value for key, value in document.items() if key not in ("tainted", "code")}
    lasting["inputs"] = {key: document["inputs"][key] for key in ("count", "records")}
    digest = bundle.write(path, arrays, lasting)
    return {
        "name": path.name, "format": bundle.FORMAT, "size": path.stat().st_size,
        "sha256": digest, "arrays": bundle.described(arrays),
    }  # fmt: skip


def _is_simulated(result: Result, far: Sequence[Origin]) -> bool:
    told = any(part.summary.get("simulated") for part in result.parts)
    return told or any(one.simulated for one in far)


def _record(
    target: Target, result: Result, told: dict[str, Any], simulated: bool
) -> tuple[dict[str, Any], bool, str]:
    """The record of a result, made if there is none: record, whether made, former version."""
    alias = f"motif-{result.id}"
    there = target.client.find(alias, target.owner)
    if there is not None:
        return _renewed(target, there, told), False, ""
    former = _former(target, result)
    newest = result.newest
    metadata, trimmed = fit({OWN_MARK: told, **_marked(simulated)}, PLACES)
    if trimmed:
        metadata[OWN_MARK]["trimmed"] = sorted(_paths(trimmed.get(OWN_MARK, {})))[:20]
    draft = Draft(
        title=_title(newest.stage, newest.collection, result.id),
        metadata=metadata,
        description=f"Derived by Motif from {told['inputs']['count']} records; the file holds its "
        "arrays and how they were made.",
        tags=["motif", *_marked(simulated)],
        alias=alias,
        dependencies=[("ver", former)] if former else [],
    )
    return target.client.create_record(draft, target.collection), True, former


def _renewed(target: Target, there: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """An earlier record, told anew what may have changed about the same result."""
    mark = there["metadata"].get(OWN_MARK, {})
    new: dict[str, Any] = {"tainted": told["tainted"]}
    if mark.get("file", {}).get("sha256") != told["file"]["sha256"]:
        new["file"] = told["file"]
        there["size"] = -1  # bytes of an earlier layout of the file
    if any(mark.get(key) != value for key, value in new.items()):
        target.client.update_record(there["id"], metadata={OWN_MARK: new})
    return there


def _former(target: Target, result: Result) -> str:
    """Newest record in the collection that answers the same question with an older result."""
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


def _depend(target: Target, record: dict[str, Any], wanted: Sequence[tuple[str, str]]) -> list[str]:
    """Add the dependencies that are missing; ids of records that are gone meanwhile."""
    has = {(one["type"], one["id"]) for one in record["dependencies"]}
    missing = [one for one in dict.fromkeys(wanted) if one not in has]
    gone: list[str] = []
    for start in range(0, len(missing), DEPENDENCIES_PER_REQUEST):
        part = missing[start : start + DEPENDENCIES_PER_REQUEST]
        try:
            target.client.update_record(record["id"], add_dependencies=part)
        except RefusedError:
            there = {one["id"] for one in target.client.records([one for _, one in part])}
            left = [one for one in part if one[1] in there]
            if len(left) == len(part):
                raise
            gone += [one for _, one in part if one not in there]
            if left:
                target.client.update_record(record["id"], add_dependencies=left)
    return gone


def _bring(target: Target, record: dict[str, Any], path: Path, file: dict[str, Any]) -> bool:
    if record["size"] == file["size"]:
        return False
    for _, _, failure in upload(target.client, [(record["id"], path)]):
        if failure is not None:
            raise SourceError(f"{str(failure).rstrip('.')}; publish again to complete it.")
    return True


def _marked(simulated: bool) -> dict[str, bool]:
    """What marks a record of simulated data, as metadata; its key is the tag."""
    return {"simulated": True} if simulated else {}


def _figures(
    workspace: Workspace,
    result: Result,
    target: Target,
    record: dict[str, Any],
    folder: Path,
    simulated: bool,
) -> list[str]:
    made: list[str] = []
    if len(result.parts) > 1:
        return made
    for name, figure in figures.figures(workspace, result.newest).items():
        identity = content_id(result.id, "figure", name)
        path = folder / f"{name}-{identity[:12]}.html"
        figures.write(figure, path, f"motif-{identity[:12]}")
        file = {"name": path.name, "format": "html", "size": path.stat().st_size}
        alias = f"motif-fig-{identity[:30]}"
        there = target.client.find(alias, target.owner)
        if there is None:
            mark = {"what": "figure", "figure": name, "derivation": result.id, "file": file}
            title = _title(name, result.newest.collection, identity)
            told = {OWN_MARK: mark, **_marked(simulated)}
            draft = Draft(title, told, tags=["motif", *_marked(simulated)], alias=alias)
            there = target.client.create_record(draft, target.collection)
        _depend(target, there, [(DEPENDENCIES[0], record["id"])])
        _bring(target, there, path, file)
        made.append(str(there["id"]))
    return made


def _title(what: str, collection: str, identity: str) -> str:
    """Not the title of anything else in the collection: equal ones would be renamed."""
    of = f" of {collection}" if collection else ""
    return f"{what}{of}"[:60] + f" ({identity[:8]})"


def _paths(removed: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted paths of what was taken out, two levels deep."""
    found = []
    for key, value in removed.items():
        if isinstance(value, dict) and not prefix:
            found += _paths(value, f"{key}.") or [key]
        else:
            found.append(f"{prefix}{key}")
    return found
