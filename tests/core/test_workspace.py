from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import ConfigError, NotFoundError, QueryError
from motif.core.records import Facet
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace, find_root

RNG = np.random.default_rng(7)


def frame(seed: int, shape: tuple[int, ...] = (3, 8, 6)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_stored_values_are_read_back(workspace: Workspace) -> None:
    values = frame(1)
    (row,) = fill(workspace, "pfm", {"a": [image(values, pixel_size=2e-9)]})
    back = workspace.read(row.id)
    np.testing.assert_array_equal(back.values, values.astype(np.float32))
    assert back.dims == ("channel", "y", "x")
    assert list(back.coords["unit"].values) == ["m", "m", "deg"]
    np.testing.assert_allclose(back.coords["x"].values, 2e-9 * np.arange(6))
    assert back.coords["x"].attrs == {"units": "m"}
    assert row.pixel_size == pytest.approx(2e-9)
    assert row.scan_size == pytest.approx(1e-8)


def test_images_of_one_shape_share_an_array(workspace: Workspace) -> None:
    records = {name: [image(frame(n))] for n, name in enumerate("abc")}
    records["wide"] = [image(frame(9, (3, 8, 20)))]
    rows = fill(workspace, "pfm", records)
    assert len({row.array for row in rows}) == 2
    frames = {row.record_id: values for row, values in workspace.frames(rows)}
    np.testing.assert_array_equal(frames["test:b"], frame(1).astype(np.float32))


def test_identical_bytes_of_two_records_are_both_kept(workspace: Workspace) -> None:
    rows = fill(workspace, "pfm", {"a": [image(frame(1))], "b": [image(frame(1))]})
    assert len({row.id for row in rows}) == 2


def test_uneven_axes_are_stored_exactly(workspace: Workspace) -> None:
    axis = np.sort(RNG.uniform(78, 1100, 50))[::-1]
    measured = spectrum(RNG.random(50), axis, "s1", {"Bi": 0.6, "V": 0.4}, {"P": (1.5, "mW/cm^2")})
    (row,) = fill(workspace, "lib", {"table": [measured]})
    back = workspace.read(row.id)
    np.testing.assert_array_equal(back.coords["raman_shift"].values, axis)


def test_queries_on_composition_and_figures_of_merit(workspace: Workspace) -> None:
    axis = np.linspace(78, 1100, 10)
    spectra = [
        spectrum(np.ones(10), axis, str(n), {"Bi": n / 10}, {"P": (float(n), "mW/cm^2")})
        for n in range(10)
    ]
    fill(workspace, "lib", {"table": spectra})
    assert len(workspace.select("lib", "Bi >= 0.5")) == 5
    assert len(workspace.select("lib", "P > 70 W/m^2")) == 2


def test_header_outranks_record_and_the_disagreement_is_kept(workspace: Workspace) -> None:
    facet = Facet("material", "PbTiO3", "header:Sample")
    fill(
        workspace, "pfm", {"a": [image(frame(1), facets=[facet])]},
        {"a": {"material": "BiFeO3", "operator": "xu", "temperature": "25 degC"}},
    )  # fmt: skip
    (row,) = workspace.select("pfm", 'material = "PbTiO3"')
    assert workspace.select("pfm", 'material = "BiFeO3"') == []
    facets = workspace.facets([row.id])[row.id]
    assert facets["operator"] == "xu"
    assert facets["temperature"] == pytest.approx(298.15)
    record = workspace.record("test:a")
    assert record.disagreements == [{"facet": "material", "header": "PbTiO3", "record": "BiFeO3"}]


def test_a_quantity_without_a_unit_gives_a_warning(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [image(frame(1))]}, {"a": {"temperature": 25}})
    record = workspace.record("test:a")
    assert record.warnings == ["record: temperature = 25 in the record is not a temperature"]


def test_filters_name_the_nearest_facet(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [image(frame(1))]}, {"a": {"operator": "xu"}})
    with pytest.raises(QueryError, match="operator"):
        workspace.select("pfm", 'opperator = "xu"')
    with pytest.raises(NotFoundError, match='no collection "pmf"; it has pfm'):
        workspace.select("pmf")


def test_reindex_rebuilds_the_same_catalog(workspace: Workspace) -> None:
    rows = fill(workspace, "pfm", {"a": [image(frame(1))], "b": [image(frame(2))]})
    workspace.ledger.record(
        "embedding", "pfm", {"v": 1}, [row.id for row in rows],
        {"vectors": np.ones((2, 4), np.float32)}, {"n": 2}, 0.1,
    )  # fmt: skip
    before = dump(workspace)
    (workspace.root / "catalog.sqlite").unlink()
    workspace.close()
    with Workspace.open(workspace.root) as again:
        assert dump(again) == before
        again.reindex()
        assert dump(again) == before


def test_an_interrupted_commit_is_finished_by_the_next_process(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motif.core.catalog import journal

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal, "apply", die)
        with pytest.raises(KeyboardInterrupt):
            fill(workspace, "pfm", {"a": [image(frame(1))]})
    assert workspace.catalog.select() == []
    with Workspace.open(workspace.root) as again:
        (row,) = again.select("pfm")
        np.testing.assert_array_equal(again.read(row.id).values, frame(1).astype(np.float32))
        fill(again, "pfm", {"b": [image(frame(2))]})
        assert {r.row for r in again.select("pfm")} == {0, 1}


def test_two_processes_may_open_one_workspace(workspace: Workspace) -> None:
    with Workspace.open(workspace.root) as other:
        fill(workspace, "pfm", {"a": [image(frame(1))]})
        fill(other, "pfm", {"b": [image(frame(2))]})
        assert {row.record_id for row in workspace.select()} == {"test:a", "test:b"}
        assert {row.row for row in other.select()} == {0, 1}


def test_opening_a_missing_workspace_names_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOTIF_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match="motif init"):
        find_root(None)
    with pytest.raises(NotFoundError, match="motif init"):
        Workspace.open(tmp_path / "nowhere")


def test_a_workspace_is_not_created_twice(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="already a Motif workspace"):
        Workspace.init(workspace.root)


def test_a_catalog_of_another_version_is_rebuilt(workspace: Workspace) -> None:
    from sqlalchemy import update

    from motif.core.catalog.tables import state

    fill(workspace, "pfm", {"a": [image(frame(1))]}, {"a": {"operator": "xu"}})
    with workspace.catalog.engine.begin() as connection:
        connection.execute(update(state).where(state.c.key == "schema").values(value="0"))
    before = dump(workspace)
    workspace.close()
    with Workspace.open(workspace.root) as again:
        assert dump(again) == before
        assert [row.record_id for row in again.select("pfm", 'text "xu"')] == ["test:a"]


def test_collecting_garbage_keeps_data_and_the_snapshots_of_results(workspace: Workspace) -> None:
    from datetime import UTC, datetime, timedelta

    from icechunk import IcechunkError

    rows = fill(workspace, "pfm", {"a": [image(frame(1))]})
    result = workspace.ledger.record("s", "pfm", {}, [rows[0].id], {"x": np.ones(3)}, {}, 0.1)
    expired = workspace.store.snapshot().id
    fill(workspace, "pfm", {"b": [image(frame(2))]})
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert workspace.store.collect(later, {result.snapshot}, dry_run=True)["snapshots"] == 0
    assert workspace.store.collect(later, {result.snapshot})["snapshots"] > 0
    with Workspace.open(workspace.root) as again:
        np.testing.assert_array_equal(again.read(rows[0].id).values, frame(1).astype(np.float32))
        np.testing.assert_array_equal(again.ledger.arrays(result)["x"], np.ones(3))
        assert again.store.snapshot(result.snapshot).journal_length == 1
        with pytest.raises(IcechunkError):
            again.store.snapshot(expired)


def dump(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    from sqlalchemy import select

    from motif.core.catalog.tables import JOURNALED

    with workspace.catalog.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)))) for table in JOURNALED
        }


def test_phrases_are_found_in_titles_metadata_and_headers(workspace: Workspace) -> None:
    fill(
        workspace, "pfm", {"a": [image(frame(1))], "b": [image(frame(2))]},
        {"a": {"operator": "xu", "log": {"comments": ["Domain-Wall pinned at \"edge\""]}}},
    )  # fmt: skip

    def records(where: str) -> list[str]:
        return [row.record_id for row in workspace.select("pfm", where)]

    assert records('text "domain-wall"') == ["test:a"]
    assert records('text "\\"edge\\""') == ["test:a"]
    assert records('text "xu"') == ["test:a"]
    assert sorted(records('text "value"')) == ["test:a", "test:b"]
    assert records('text "absent"') == []
    workspace.reindex()
    assert records('text "domain-wall"') == ["test:a"]


@pytest.mark.parametrize("attempt", [Workspace.open, Workspace.init])
def test_an_unreachable_store_is_not_called_missing(
    attempt: Callable[[Path], Workspace], tmp_path: Path
) -> None:
    (tmp_path / "motif.toml").write_text('[store]\nurl = "s3://"\nregion = "us-east-1"\n')
    with pytest.raises(
        ConfigError, match=r"s3:// cannot be opened \(bucket was missing.*\[store\]"
    ):
        attempt(tmp_path)


def test_an_unreachable_catalog_is_named_without_its_password(workspace: Workspace) -> None:
    (workspace.root / "motif.toml").write_text(
        '[catalog]\nurl = "postgresql+psycopg://ann:secret@127.0.0.1:9/lab"\n'
    )
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:9/lab cannot be opened") as caught:
        Workspace.open(workspace.root)
    assert "secret" not in str(caught.value)
