import sqlite3
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.core.catalog.content_signatures import compare_spectra, same_images
from motif.core.catalog.duplicates import find_duplicates
from motif.core.records import Measurement
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

RNG = np.random.default_rng(5)
X = np.linspace(100, 1600, 700)


def scan(seed: int = 1, size: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = rng.normal(size=(size, size)).cumsum(0).cumsum(1)
    return 1e-9 * smooth / smooth.std() + 3e-7


def peaks(seed: int = 1, axis: np.ndarray = X) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres, widths = rng.uniform(150, 1550, 9), rng.uniform(8, 40, 9)
    lines = np.exp(-(((axis[:, None] - centres) / widths) ** 2)) @ rng.uniform(50, 900, 9)
    return lines + np.random.default_rng(seed + 99).normal(100, 4, axis.size)


def spectrum(values: np.ndarray, axis: np.ndarray = X, unit: str = "count") -> Measurement:
    data = xr.DataArray(
        values, {"raman_shift": ("raman_shift", axis, {"units": "cm^-1"})}, ["raman_shift"],
        attrs={"units": unit},
    )  # fmt: skip
    return Measurement("0", "spectrum", "a spectrum", data)


def one_channel(values: np.ndarray, unit: str = "m", name: str = "Topography") -> Measurement:
    return image(values[None], [name], [unit])


def linked(workspace: Workspace) -> dict[str, list[tuple[str, str]]]:
    """Record -> the records it is linked with, and the relation."""
    records = {row.id: row.record_id.removeprefix("test:") for row in workspace.select()}
    duplicates = find_duplicates(workspace, list(records))
    return {
        records[identity]: sorted(
            (each.record_id.removeprefix("test:"), each.relation) for each in others
        )
        for identity, others in duplicates.items()
    }


def test_a_channel_exported_to_another_format_is_linked(workspace: Workspace) -> None:
    planes = np.stack([scan(1), scan(2), 90 * RNG.normal(size=(48, 48))])
    exported = planes[1].astype(np.float32).round(13)[::-1]
    fill(workspace, "pfm", {"a": [image(planes)], "b": [one_channel(exported)]})
    assert linked(workspace) == {"a": [("b", "same values")], "b": [("a", "same values")]}
    (row,) = [row for row in workspace.select() if row.record_id == "test:a"]
    (duplicate,) = find_duplicates(workspace, [row.id]).get(row.id, [])
    assert duplicate.channels == [("Amplitude", "Topography")]
    assert duplicate.record_id == "test:b"
    assert "original of test:b (same values: Amplitude = Topography)" in duplicate.words


@pytest.mark.parametrize(
    "turn", [lambda a: a[::-1], lambda a: a[:, ::-1], lambda a: a.T, lambda a: a[::-1].T]
)
def test_turned_and_mirrored_images_are_the_same(turn: object, workspace: Workspace) -> None:
    fill(workspace, "a", {"a": [one_channel(scan())]})
    fill(workspace, "b", {"b": [one_channel(1e9 * turn(scan()), "nm")]})  # type: ignore[operator]
    assert linked(workspace)["a"] == [("b", "same values")]


def test_other_scans_of_the_same_place_are_not(workspace: Workspace) -> None:
    noise = RNG.normal(size=(48, 48)) * 1e-11
    records = {
        "a": [one_channel(scan())],
        "again": [one_channel(scan() + noise)],
        "twice as high": [one_channel(2 * scan())],
        "other": [one_channel(scan(7))],
    }
    fill(workspace, "pfm", records)
    assert linked(workspace) == {}


def test_constant_tiny_and_bare_data_are_never_linked(workspace: Workspace) -> None:
    spike = np.zeros((32, 32))
    spike[3, 4] = 1
    comb = np.zeros(700)
    comb[::70] = 1
    twice = {
        "zero": np.zeros((32, 32)), "offset": np.full((32, 32), 3e-7) + 1e-14 * spike,
        "spike": spike, "tiny": RNG.normal(size=(8, 8)), "gaps": np.full((32, 32), np.nan),
    }  # fmt: skip
    for times in ("one", "two"):
        records = {f"{name} {times}": [one_channel(v)] for name, v in twice.items()}
        records[f"comb {times}"] = [spectrum(comb)]
        records[f"short {times}"] = [spectrum(peaks()[:20], X[:20])]
        records[f"standing {times}"] = [spectrum(peaks(), np.full_like(X, 500))]
        records[f"torn {times}"] = [spectrum(peaks(), np.append(X[:-1], np.nan))]
        fill(workspace, f"c-{times}", records)
    assert linked(workspace) == {}


def test_equal_spectra_of_one_table_are_different_samples(workspace: Workspace) -> None:
    first, second = spectrum(peaks()), spectrum(peaks())
    fill(workspace, "library", {"a": [first, Measurement("1", "spectrum", "t", second.data)]})
    assert linked(workspace) == {}


def test_a_spectrum_as_text_in_the_other_direction_is_linked(workspace: Workspace) -> None:
    text = np.array([float(f"{v:.6g}") for v in peaks()])
    fill(workspace, "raman", {"a": [spectrum(peaks())]})
    fill(workspace, "more", {"b": [spectrum(text[::-1], X[::-1].round(3), "arb. unit")]})
    assert linked(workspace)["b"] == [("a", "same values")]


def test_a_resampled_export_needs_the_name_of_its_original(workspace: Workspace) -> None:
    uneven = 100 + 1500 * np.linspace(0, 1, 700) ** 1.02
    measured = peaks(3, uneven)
    even = np.linspace(100, 1600, 700)
    exported = spectrum(np.interp(even, uneven, measured), even)
    fill(workspace, "raman", {"s": [spectrum(measured, uneven)], "t": [exported]})
    assert linked(workspace) == {}
    fill(workspace, "raman", {"S": [exported]})
    links = linked(workspace)
    assert links["s"] == [("S", "resampled")]
    assert links["t"] == [("S", "same values")]
    (row,) = [row for row in workspace.select() if row.record_id == "test:S"]
    duplicates = find_duplicates(workspace, [row.id])[row.id]
    assert {each.record_id: each.is_original for each in duplicates}["test:s"]


def test_samples_of_tables_of_the_same_name_are_matched_by_key(workspace: Workspace) -> None:
    base = peaks(4)
    samples = [base + np.random.default_rng(n).normal(0, 4, base.size) for n in range(5)]
    table = [Measurement(str(n), "spectrum", "t", spectrum(v).data) for n, v in enumerate(samples)]
    fill(workspace, "csv", {"film": table})
    fill(workspace, "xlsx", {"Film": table})
    keys = {row.id: row.key for row in workspace.select()}
    duplicates = find_duplicates(workspace, list(keys))
    assert len(duplicates) == 10
    for identity, others in duplicates.items():
        expected = [(keys[identity], "same values")]
        assert [(keys[each.id], each.relation) for each in others] == expected


def test_links_follow_deletion_and_outlive_a_reindex(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [one_channel(scan())], "b": [one_channel(scan())]})
    before = linked(workspace)
    assert set(before) == {"a", "b"}
    workspace.reindex()
    assert linked(workspace) == before
    from motif.core.catalog.intake import Intake

    Intake(workspace, "test", "pfm", workspace.mapper()).commit((), (), (), deleted=["b"])
    assert linked(workspace) == {}


def test_a_catalog_of_an_older_version_is_rebuilt(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [one_channel(scan())], "b": [one_channel(scan())]})
    before = linked(workspace)
    workspace.close()
    with sqlite3.connect(workspace.root / "catalog.sqlite") as database:
        database.execute("UPDATE state SET value = '2' WHERE key = 'schema'")
        database.execute("DROP TABLE content_signatures")
        database.execute("DROP TABLE raw_facets")
        database.execute("ALTER TABLE facets DROP COLUMN raw_text")
    with Workspace.open(workspace.root) as opened:
        assert linked(opened) == before
        assert [row.title for row in opened.catalog.records()] == ["a", "b"]


def test_show_lists_duplicates(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [one_channel(scan())], "b": [one_channel(scan())]})
    command = [sys.executable, "-m", "motif.core.cli.command_line", "-w", str(workspace.root)]
    done = subprocess.run([*command, "show", "test:b"], capture_output=True, text=True, check=True)
    assert "duplicate" in done.stdout
    assert "test:a (same values: Topography)" in done.stdout


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 50), st.integers(0, 7), st.floats(-1e3, 1e3),
    st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_rounding_offset_and_orientation_do_not_matter(
    seed: int, turn: int, offset: float, dtype: type
) -> None:
    plane = RNG.normal(size=(20, 20)) + seed
    other = np.rot90(plane, turn % 4)
    other = (other.T if turn > 3 else other).astype(dtype) + dtype(offset)
    assert same_images(plane, other, ("m", "m"))
    assert not same_images(plane, RNG.normal(size=(20, 20)), ("m", ""))


def test_units_decide_about_the_scale() -> None:
    values = peaks()
    assert compare_spectra((X, values), (X, values / 7), ("count", "arb. unit"), same_name=False)
    assert not compare_spectra((X, values), (X, values / 7), ("count", "count"), same_name=False)
    assert same_images(scan(), 1e9 * scan(), ("m", "nm"))
    assert not same_images(scan(), 1e9 * scan(), ("m", "um"))
