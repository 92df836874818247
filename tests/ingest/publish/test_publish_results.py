"""Publication of results of the ledger to DataFed."""

from __future__ import annotations

import json
import struct
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from motif.core.catalog.database import Derivation
from motif.core.errors import ConfigError, NotFoundError
from motif.core.workspace import Workspace
from motif.ingest.publish import result_files, result_publisher
from motif.ingest.publish.commands import publish as publish_command
from motif.ingest.publish.destination import Destination, datafed_options, results_destination
from motif.ingest.publish.folder_upload import upload_folder
from motif.ingest.publish.ledger_results import Result, resolve
from motif.ingest.publish.result_publisher import Publication
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.sync.source_sync import sync


@pytest.fixture
def lab(workspace: Workspace, scans: Path, target: Destination) -> Workspace:
    """A workspace with five scans of the server."""
    upload_folder(scans, target, scans.parent)
    sync(workspace, "pfm")
    return workspace


@pytest.fixture
def destination(lab: Workspace, target: Destination) -> Destination:
    return results_destination(target, "pfm")


def derive(lab: Workspace, stage: str, inputs: list[str], **parameters: Any) -> Result:
    ids = np.array(inputs, "S32")
    arrays = {"ids": ids, "vectors": np.arange(3.0 * len(ids)).reshape(-1, 3)}
    if stage == "projection":
        arrays = {"ids": ids, "xy": np.zeros((len(ids), 2), np.float32)}
    made = lab.ledger.record(stage, "pfm", parameters, inputs, arrays, {"count": len(ids)}, 1.0)
    return Result((made,))


def measured(lab: Workspace) -> list[str]:
    return [row.id for row in lab.select("pfm")]


def natives(lab: Workspace, ids: list[str]) -> set[str]:
    return {lab.record(lab.measurement(identity).record_id).native_id for identity in ids}


def file_of(sandbox: Sandbox, record: str) -> Path:
    return next((sandbox.folder / "repo").rglob(record[2:]))


def test_a_result_states_what_it_was_computed_from(
    lab: Workspace, destination: Destination, sandbox: Sandbox, tmp_path: Path
) -> None:
    ids = measured(lab)[:3]
    result = derive(lab, "embedding", ids, extractor="symmetry", fingerprint="ab12")
    publication = result_publisher.publish_result(lab, result, destination)
    assert (
        publication.created,
        publication.uploaded,
        publication.depends_on,
        publication.elsewhere,
    ) == (True, True, 3, 0)
    record = destination.client.record(publication.record)
    assert {item["id"] for item in record["dependencies"] if item["type"] == "der"} == natives(
        lab, ids
    )
    mark = record["metadata"]["motif"]
    assert mark["stage"] == "embedding"
    assert mark["derivation"] == result.id
    assert mark["parameters"] == {"extractor": "symmetry", "fingerprint": "ab12"}
    assert mark["code"]["motif-lab"]
    assert mark["snapshot"] == result.newest.snapshot
    arrays, document = result_files.read_arrays(file_of(sandbox, publication.record))
    assert arrays["ids"].tolist() == [identity.encode() for identity in ids]
    np.testing.assert_array_equal(arrays["vectors"], lab.ledger.arrays(result.newest)["vectors"])
    assert document["inputs"]["records"] == sorted(lab.measurement(i).record_id for i in ids)


def test_a_second_publication_creates_no_record(lab: Workspace, destination: Destination) -> None:
    result = derive(lab, "embedding", measured(lab))
    first = result_publisher.publish_result(lab, result, destination)
    again = result_publisher.publish_result(lab, result, destination)
    assert (again.record, again.created, again.uploaded) == (first.record, False, False)
    assert len(destination.client.items(destination.collection)) == 1


def test_an_interrupted_publication_is_completed(
    lab: Workspace, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = derive(lab, "embedding", measured(lab))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(result_publisher, "_add_dependencies", die)
        with pytest.raises(KeyboardInterrupt):
            result_publisher.publish_result(lab, result, destination)
    publication = result_publisher.publish_result(lab, result, destination)
    assert (publication.created, publication.uploaded, publication.depends_on) == (False, True, 5)
    record = destination.client.record(publication.record)
    assert len(record["dependencies"]) == 5
    assert record["size"] > 0


def test_a_changed_result_is_a_new_version(lab: Workspace, destination: Destination) -> None:
    ids = measured(lab)
    first = publish(lab, destination, derive(lab, "embedding", ids[:3], extractor="a", version=1))
    other = publish(lab, destination, derive(lab, "embedding", ids[:3], extractor="b", version=1))
    newer = publish(lab, destination, derive(lab, "embedding", ids, extractor="a", version=2))
    newest = publish(lab, destination, derive(lab, "embedding", ids[:4], extractor="a", version=2))
    assert (first.version_of, other.version_of) == ("", "")
    assert (newer.version_of, newest.version_of) == (first.record, newer.record)
    dependencies = destination.client.record(newest.record)["dependencies"]
    assert [item["id"] for item in dependencies if item["type"] == "ver"] == [newer.record]


def publish(lab: Workspace, destination: Destination, result: Result) -> Publication:
    return result_publisher.publish_result(lab, result, destination)


def test_inputs_are_published_before_the_result(lab: Workspace, destination: Destination) -> None:
    member = derive(lab, "ensemble-member", measured(lab)[:2], seed=1)
    gradients = derive(lab, "averages", [member.id])
    flat = publish(lab, destination, gradients)
    assert (flat.depends_on, flat.inputs) == (2, [])
    publication = result_publisher.publish_result(lab, gradients, destination, with_inputs=True)
    assert (publication.record, len(publication.inputs)) == (flat.record, 1)
    linked = {item["id"] for item in destination.client.record(publication.record)["dependencies"]}
    assert set(publication.inputs) < linked


def test_features_computed_in_parts_are_one_result(
    lab: Workspace, destination: Destination, sandbox: Sandbox
) -> None:
    ids = measured(lab)
    derive(lab, "embedding", ids[:2], extractor="a")
    derive(lab, "embedding", ids[2:], extractor="a")
    derive(lab, "embedding", ids[:1], extractor="old")
    derive(lab, "embedding", ids[:1], extractor="a", version=2)
    newest = resolve(lab, "embedding")
    assert len(newest.parts) == 1
    whole = Result(tuple(lab.ledger.all("embedding", "pfm", extractor="a")[:2]))
    publication = publish(lab, destination, whole)
    arrays, _ = result_files.read_arrays(file_of(sandbox, publication.record))
    assert arrays["vectors"].shape == (5, 3)
    assert sorted(identity.decode() for identity in arrays["ids"].tolist()) == sorted(ids)


def draw_titles(workspace: Workspace, derivation: Derivation) -> dict[str, go.Figure]:
    titles = [row.title for row in workspace.select(ids=list(derivation.inputs))]
    return {"map": go.Figure(go.Scatter(x=[0] * len(titles), y=[0] * len(titles), text=titles))}


def test_a_map_is_published_with_its_figure(
    lab: Workspace, destination: Destination, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("projection", "a:b", result_files.FIGURE_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: draw_titles)
    monkeypatch.setattr(result_files, "entry_points", lambda **_: [point])
    result = derive(lab, "projection", measured(lab))
    publication = publish(lab, destination, result)
    (figure,) = publication.figures
    record = destination.client.record(figure)
    assert record["dependencies"] == [{"id": publication.record, "type": "der"}]
    page = file_of(sandbox, figure).read_text()
    assert "scan0" in page
    assert "https://cdn.plot.ly/plotly-" not in page[:2000]
    assert publish(lab, destination, result).figures == [figure]


def test_inputs_that_are_deleted_or_elsewhere_are_listed(
    lab: Workspace, destination: Destination
) -> None:
    ids = measured(lab)
    result = derive(lab, "embedding", ids)
    (gone, *_) = sorted(natives(lab, ids[:1]))
    destination.client.delete_records([gone])
    publication = publish(lab, destination, result)
    assert (publication.depends_on, publication.elsewhere) == (4, 1)
    again = publish(lab, destination, result)
    assert (again.record, again.uploaded) == (publication.record, False)


def test_taint_is_published(lab: Workspace, destination: Destination) -> None:
    ids = measured(lab)
    result = derive(lab, "embedding", ids)
    publication = publish(lab, destination, result)
    assert destination.client.record(publication.record)["metadata"]["motif"]["tainted"] is False
    (bad, *_) = natives(lab, ids[:1])
    destination.client.update_record(bad, tags=["error"])
    sync(lab, "pfm")
    assert [derivation.id for derivation in lab.ledger.tainted()] == [result.id]
    publish(lab, destination, result)
    assert destination.client.record(publication.record)["metadata"]["motif"]["tainted"] is True


def test_an_annotated_error_taints_until_it_is_closed(lab: Workspace, target: Destination) -> None:
    ids = measured(lab)
    result = derive(lab, "embedding", ids)
    (bad,) = natives(lab, ids[:1])
    note = target.client.request(
        "NoteCreateRequest", type=3, subject=bad, title="tip", comment="worn tip", activate=True
    )["note"][0]
    assert sync(lab, "pfm").updated == 1
    assert [derivation.id for derivation in lab.ledger.tainted()] == [result.id]
    assert [row.record_id for row in lab.select("pfm", "has tainted")] == [f"pfm:{bad}"]
    target.client.request("NoteUpdateRequest", id=note["id"], new_state=0, comment="new tip")
    assert sync(lab, "pfm").updated == 1
    assert lab.ledger.tainted() == []


def test_published_results_are_not_measurements(
    lab: Workspace, target: Destination, destination: Destination
) -> None:
    result = derive(lab, "embedding", measured(lab))
    publish(lab, target, result)
    publication = sync(lab, "pfm")
    assert (publication.new, publication.quarantined) == (1, 0)
    assert len(measured(lab)) == 5


def test_results_are_resolved_by_id_prefix_and_stage(
    lab: Workspace, destination: Destination
) -> None:
    result = derive(lab, "embedding", measured(lab))
    assert resolve(lab, result.id[:8]).id == result.id
    assert resolve(lab, "embedding", "pfm").id == result.id
    with pytest.raises(NotFoundError, match="motif project COLLECTION"):
        resolve(lab, "projection")
    (lab.root / "motif.toml").write_text('[sources.f]\nkind = "folder"\npath = "."\ninto = "x"\n')
    with Workspace.open(lab.root) as opened, pytest.raises(ConfigError, match="only a DataFed"):
        datafed_options(opened, "f")


def test_the_command(
    lab: Workspace, scans: Path, capsys: pytest.CaptureFixture[str], destination: Destination
) -> None:
    result = derive(lab, "embedding", measured(lab))
    publish_command("pfm", result.id[:10], workspace=lab.root, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["collection"] == destination.collection
    assert document["depends_on"] == 5
    publish_command("pfm", upload=scans, workspace=lab.root)
    assert "0 uploaded, 5 there already" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="either a result or --upload"):
        publish_command("pfm", workspace=lab.root)


def test_the_file_can_be_read_with_a_few_lines_of_anything(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    arrays = {
        "xy": np.arange(6, dtype="<f4").reshape(3, 2), "names": np.array(["a", "µm", ""]),
        "empty": np.zeros((0, 2)), "flags": np.array([True, False]), "scalar": np.array(2.5),
    }  # fmt: skip
    first = result_files.write_arrays(path, arrays, {"stage": "x", "bias": float("nan")})
    assert (
        result_files.write_arrays(tmp_path / "b", arrays, {"stage": "x", "bias": float("nan")})
        == first
    )
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    start, end = header["xy"]["data_offsets"]
    values = np.frombuffer(data[8 + length + start : 8 + length + end], "<f4").reshape(3, 2)
    np.testing.assert_array_equal(values, arrays["xy"])
    back, document = result_files.read_arrays(path)
    assert [text.decode() for text in back["names"].tolist()] == ["a", "µm", ""]
    assert back["empty"].shape == (0, 2)
    assert back["scalar"].shape == ()
    assert document["stage"] == "x"
    assert np.isnan(document["bias"])


def draw_failing(_: Workspace, __: object) -> dict[str, object]:
    raise KeyError("xy")


def draw_broken_page(_: Workspace, __: object) -> dict[str, object]:
    return {"good": WorkingFigure(), "broken": object()}


class WorkingFigure:
    def to_html(self, **_: object) -> str:
        return "<html></html>"


def test_a_failing_figure_costs_that_figure(
    lab: Workspace, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [
        EntryPoint("averages", f"{__name__}:{function}", result_files.FIGURE_GROUP)
        for function in ("draw_failing", "draw_broken_page", "draw_missing")
    ]
    functions = {"draw_failing": draw_failing, "draw_broken_page": draw_broken_page}
    monkeypatch.setattr(EntryPoint, "load", lambda self: functions[self.attr])
    monkeypatch.setattr(result_files, "entry_points", lambda **_: points)
    publication = publish(lab, destination, derive(lab, "averages", measured(lab)))
    assert publication.created
    assert publication.uploaded
    assert len(publication.figures) == 1, "the figure drawn before the failing one is published"
    assert publication.figures_failed == [
        "figure averages failed: KeyError: 'xy'; report it to its author",
        "figure broken failed: AttributeError: 'object' object has no attribute 'to_html'; "
        "report it to its author",
        "figure averages failed: KeyError: 'draw_missing'; report it to its author",
    ]


def test_the_command_names_a_figure_that_failed(
    lab: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = derive(lab, "averages", measured(lab))
    point = EntryPoint("averages", "a:b", result_files.FIGURE_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: draw_failing)
    monkeypatch.setattr(result_files, "entry_points", lambda **_: [point])
    publish_command("pfm", result.id[:10], workspace=lab.root)
    assert "; figure averages failed: KeyError: 'xy'" in capsys.readouterr().out
