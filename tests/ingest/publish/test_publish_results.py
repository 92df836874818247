"""Results of the ledger on their way back to DataFed."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.core.errors import ConfigError, NotFoundError
from motif.core.workspace import Workspace
from motif.ingest.publish import bundle, publishing
from motif.ingest.publish.folder import upload_folder
from motif.ingest.publish.publishing import Published
from motif.ingest.publish.results import Result, resolve
from motif.ingest.publish.target import Target, options_of, results_target
from motif.ingest.publish_commands import publish as publish_command
from motif.ingest.sandbox import Sandbox
from motif.ingest.sync import sync


@pytest.fixture
def lab(workspace: Workspace, scans: Path, target: Target) -> Workspace:
    """A workspace with five scans of the server."""
    upload_folder(scans, target, scans.parent)
    sync(workspace, "pfm")
    return workspace


@pytest.fixture
def place(lab: Workspace, target: Target) -> Target:
    return results_target(target, "pfm")


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
    return {lab.record(lab.measurement(one).record_id).native_id for one in ids}


def file_of(sandbox: Sandbox, record: str) -> Path:
    return next((sandbox.folder / "repo").rglob(record[2:]))


def test_a_result_says_what_it_was_made_from(
    lab: Workspace, place: Target, sandbox: Sandbox, tmp_path: Path
) -> None:
    ids = measured(lab)[:3]
    result = derive(lab, "embedding", ids, extractor="symmetry", fingerprint="ab12")
    done = publishing.publish(lab, result, place)
    assert (done.created, done.uploaded, done.depends_on, done.elsewhere) == (True, True, 3, 0)
    record = place.client.record(done.record)
    assert {one["id"] for one in record["dependencies"] if one["type"] == "der"} == natives(
        lab, ids
    )
    told = record["metadata"]["motif"]
    assert told["stage"] == "embedding"
    assert told["derivation"] == result.id
    assert told["parameters"] == {"extractor": "symmetry", "fingerprint": "ab12"}
    assert told["code"]["motif-lab"]
    assert told["snapshot"] == result.newest.snapshot
    arrays, document = bundle.read(file_of(sandbox, done.record))
    assert arrays["ids"].tolist() == [one.encode() for one in ids]
    np.testing.assert_array_equal(arrays["vectors"], lab.ledger.arrays(result.newest)["vectors"])
    assert document["inputs"]["records"] == sorted(lab.measurement(i).record_id for i in ids)


def test_twice_is_one_record(lab: Workspace, place: Target) -> None:
    result = derive(lab, "embedding", measured(lab))
    first = publishing.publish(lab, result, place)
    again = publishing.publish(lab, result, place)
    assert (again.record, again.created, again.uploaded) == (first.record, False, False)
    assert len(place.client.items(place.collection)) == 1


def test_an_interrupted_publication_is_completed(
    lab: Workspace, place: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = derive(lab, "embedding", measured(lab))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_depend", die)
        with pytest.raises(KeyboardInterrupt):
            publishing.publish(lab, result, place)
    done = publishing.publish(lab, result, place)
    assert (done.created, done.uploaded, done.depends_on) == (False, True, 5)
    record = place.client.record(done.record)
    assert len(record["dependencies"]) == 5
    assert record["size"] > 0


def test_a_changed_result_is_a_new_version(lab: Workspace, place: Target) -> None:
    ids = measured(lab)
    first = publish(lab, place, derive(lab, "embedding", ids[:3], extractor="a", version=1))
    other = publish(lab, place, derive(lab, "embedding", ids[:3], extractor="b", version=1))
    newer = publish(lab, place, derive(lab, "embedding", ids, extractor="a", version=2))
    newest = publish(lab, place, derive(lab, "embedding", ids[:4], extractor="a", version=2))
    assert (first.version_of, other.version_of) == ("", "")
    assert (newer.version_of, newest.version_of) == (first.record, newer.record)
    dependencies = place.client.record(newest.record)["dependencies"]
    assert [one["id"] for one in dependencies if one["type"] == "ver"] == [newer.record]


def publish(lab: Workspace, place: Target, result: Result) -> Published:
    return publishing.publish(lab, result, place)


def test_inputs_come_before_what_was_made_of_them(lab: Workspace, place: Target) -> None:
    member = derive(lab, "ensemble-member", measured(lab)[:2], seed=1)
    gradients = derive(lab, "averages", [member.id])
    flat = publish(lab, place, gradients)
    assert (flat.depends_on, flat.inputs) == (2, [])
    done = publishing.publish(lab, gradients, place, with_inputs=True)
    assert (done.record, len(done.inputs)) == (flat.record, 1)
    linked = {one["id"] for one in place.client.record(done.record)["dependencies"]}
    assert set(done.inputs) < linked


def test_features_made_in_parts_are_one_result(
    lab: Workspace, place: Target, sandbox: Sandbox
) -> None:
    ids = measured(lab)
    derive(lab, "embedding", ids[:2], extractor="a")
    derive(lab, "embedding", ids[2:], extractor="a")
    derive(lab, "embedding", ids[:1], extractor="old")
    derive(lab, "embedding", ids[:1], extractor="a", version=2)
    newest = resolve(lab, "embedding")
    assert len(newest.parts) == 1
    whole = Result(tuple(lab.ledger.all("embedding", "pfm", extractor="a")[:2]))
    done = publish(lab, place, whole)
    arrays, _ = bundle.read(file_of(sandbox, done.record))
    assert arrays["vectors"].shape == (5, 3)
    assert sorted(one.decode() for one in arrays["ids"].tolist()) == sorted(ids)


def test_a_map_comes_with_its_picture(lab: Workspace, place: Target, sandbox: Sandbox) -> None:
    result = derive(lab, "projection", measured(lab))
    done = publish(lab, place, result)
    (figure,) = done.figures
    record = place.client.record(figure)
    assert record["dependencies"] == [{"id": done.record, "type": "der"}]
    page = file_of(sandbox, figure).read_text()
    assert "scan0" in page
    assert "https://cdn.plot.ly/plotly-" not in page[:2000]
    assert publish(lab, place, result).figures == [figure]


def test_records_that_are_gone_or_elsewhere_are_told(lab: Workspace, place: Target) -> None:
    ids = measured(lab)
    result = derive(lab, "embedding", ids)
    (gone, *_) = sorted(natives(lab, ids[:1]))
    place.client.delete_records([gone])
    done = publish(lab, place, result)
    assert (done.depends_on, done.elsewhere) == (4, 1)
    again = publish(lab, place, result)
    assert (again.record, again.uploaded) == (done.record, False)


def test_taint_is_passed_on(lab: Workspace, place: Target) -> None:
    ids = measured(lab)
    result = derive(lab, "embedding", ids)
    done = publish(lab, place, result)
    assert place.client.record(done.record)["metadata"]["motif"]["tainted"] is False
    (bad, *_) = natives(lab, ids[:1])
    place.client.update_record(bad, tags=["error"])
    sync(lab, "pfm")
    assert [one.id for one in lab.ledger.tainted()] == [result.id]
    publish(lab, place, result)
    assert place.client.record(done.record)["metadata"]["motif"]["tainted"] is True


def test_an_annotated_error_taints_and_its_end_cleans(lab: Workspace, target: Target) -> None:
    ids = measured(lab)
    result = derive(lab, "embedding", ids)
    (bad,) = natives(lab, ids[:1])
    note = target.client.request(
        "NoteCreateRequest", type=3, subject=bad, title="tip", comment="worn tip", activate=True
    )["note"][0]
    assert sync(lab, "pfm").updated == 1
    assert [one.id for one in lab.ledger.tainted()] == [result.id]
    assert [row.record_id for row in lab.select("pfm", "has tainted")] == [f"pfm:{bad}"]
    target.client.request("NoteUpdateRequest", id=note["id"], new_state=0, comment="new tip")
    assert sync(lab, "pfm").updated == 1
    assert lab.ledger.tainted() == []


def test_published_results_are_no_measurements(
    lab: Workspace, target: Target, place: Target
) -> None:
    result = derive(lab, "embedding", measured(lab))
    publish(lab, target, result)
    done = sync(lab, "pfm")
    assert (done.new, done.quarantined) == (1, 0)
    assert len(measured(lab)) == 5


def test_which_result_is_meant(lab: Workspace, place: Target) -> None:
    result = derive(lab, "embedding", measured(lab))
    assert resolve(lab, result.id[:8]).id == result.id
    assert resolve(lab, "embedding", "pfm").id == result.id
    with pytest.raises(NotFoundError, match="motif project COLLECTION"):
        resolve(lab, "projection")
    (lab.root / "motif.toml").write_text('[sources.f]\nkind = "folder"\npath = "."\ninto = "x"\n')
    with Workspace.open(lab.root) as opened, pytest.raises(ConfigError, match="only a DataFed"):
        options_of(opened, "f")


def test_the_command(
    lab: Workspace, scans: Path, capsys: pytest.CaptureFixture[str], place: Target
) -> None:
    result = derive(lab, "embedding", measured(lab))
    publish_command("pfm", result.id[:10], workspace=lab.root, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["collection"] == place.collection
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
    first = bundle.write(path, arrays, {"stage": "x", "bias": float("nan")})
    assert bundle.write(tmp_path / "b", arrays, {"stage": "x", "bias": float("nan")}) == first
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    start, end = header["xy"]["data_offsets"]
    values = np.frombuffer(data[8 + length + start : 8 + length + end], "<f4").reshape(3, 2)
    np.testing.assert_array_equal(values, arrays["xy"])
    back, document = bundle.read(path)
    assert [one.decode() for one in back["names"].tolist()] == ["a", "µm", ""]
    assert back["empty"].shape == (0, 2)
    assert back["scalar"].shape == ()
    assert document["stage"] == "x"
    assert np.isnan(document["bias"])
