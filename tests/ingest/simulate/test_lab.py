import hashlib
import json
import time
from collections import Counter
from pathlib import Path

import igor2.binarywave
import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import STANDARD_FACETS
from motif.core.testing.reader_tests import check_facet, check_measurement
from motif.ingest.readers import choose
from motif.ingest.readers.asylum.reader import AsylumIbw
from motif.ingest.readers.library.library_table import CompositionTable
from motif.ingest.simulate.simulated_lab import SimulatedFile, write_lab

READERS = (AsylumIbw(), CompositionTable())


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> list[SimulatedFile]:
    return write_lab(tmp_path_factory.mktemp("lab"), scans=90, samples=30)


def scans(lab: list[SimulatedFile]) -> list[SimulatedFile]:
    return [file for file in lab if file.collection == "pfm"][:90]


def test_every_file_has_its_record(lab: list[SimulatedFile]) -> None:
    assert Counter(file.collection for file in lab) == {"pfm": 93, "bivo4": 1}
    assert len({file.path for file in lab}) == len(lab)
    for file in lab:
        assert file.path.is_file()
        assert file.title
        assert file.metadata["simulated"] is True
        assert json.loads(json.dumps(file.metadata, allow_nan=False)) == file.metadata


def test_scans_are_read_as_planned(lab: list[SimulatedFile]) -> None:
    disagreeing = 0
    for file in scans(lab):
        reading = choose(file.path, READERS)(file.path)
        (image,) = reading.measurements
        check_measurement(image)
        for facet in image.facets:
            check_facet(facet)
        assert image.data.shape == (4, 128, 128)
        facets = {facet.name: facet.value for facet in image.facets}
        assert facets["simulated"] is True
        stated = file.metadata
        assert facets["instrument"] == stated["instrument"]
        assert facets["technique"] == stated["technique"]
        assert f"{facets['acquired_at']}Z" == stated["acquired_at"]
        if "temperature" in facets:
            assert facets["temperature"] == pytest.approx(stated["temperature"]["value"])
        recorded = stated["scan_size"]["value"] * 1e-6
        disagreeing += abs(facets["scan_size"] / recorded - 1) > 1e-3
    assert disagreeing == 1, "one record in 75 contradicts its file"


def test_broken_files_are_refused_each_for_its_own_reason(lab: list[SimulatedFile]) -> None:
    reasons = []
    for file in lab[90:93]:
        with pytest.raises(UnreadableFileError) as caught:
            choose(file.path, READERS)(file.path)
        reasons.append(str(caught.value))
    assert ["cut short" in reasons[0], "empty" in reasons[1], "pointer" in reasons[2]] == [True] * 3


def test_the_lab_is_varied_and_its_filters_mean_something(lab: list[SimulatedFile]) -> None:
    records = [file.metadata for file in scans(lab)]
    for name in ("operator", "material", "substrate", "instrument", "purpose", "project"):
        assert len({record[name] for record in records}) > 1, name
        assert name in STANDARD_FACETS
    assert 2 <= sum(record["outcome"] == "failed" for record in records) <= 30
    years = {record["acquired_at"][:4] for record in records}
    assert len(years) >= 5
    by_material: dict[str, set[str]] = {}
    for record in records:
        by_material.setdefault(record["material"], set()).add(record["pattern"])
    assert by_material["PbTiO3"] <= {"a/c", "stripe"}
    assert not by_material["LiNbO3"] & by_material["PZT"]


def test_no_operator_measures_before_arriving(lab: list[SimulatedFile]) -> None:
    first = min(r.metadata["acquired_at"] for r in scans(lab) if r.metadata["operator"] == "tanaka")
    assert first > "2018-07"


def test_files_are_valid_to_an_independent_reader(lab: list[SimulatedFile]) -> None:
    wave = igor2.binarywave.load(str(lab[0].path))["wave"]
    assert wave["wData"].shape == (128, 128, 4)
    assert b"Simulated: Motif" in wave["note"]
    ours = AsylumIbw()(lab[0].path).measurements[0].data.values
    np.testing.assert_array_equal(wave["wData"].T, ours)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def digest(folder: str, seed: int) -> str:
        files = write_lab(tmp_path / folder, scans=4, samples=5, broken=1, seed=seed)
        parts = [(f.path.name, f.title, f.metadata, f.path.read_bytes()) for f in files]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    assert digest("a", 1) == digest("b", 1)
    assert digest("a", 1) != digest("c", 2)


def test_parts_can_be_left_out(tmp_path: Path) -> None:
    assert write_lab(tmp_path, scans=0, samples=0, broken=0) == []
    assert [f.collection for f in write_lab(tmp_path, scans=0, samples=3, broken=0)] == ["bivo4"]


def test_the_whole_lab_is_written_in_ten_seconds(tmp_path: Path) -> None:
    started = time.process_time()
    files = write_lab(tmp_path)
    assert time.process_time() - started < 10
    assert len(files) == 304
