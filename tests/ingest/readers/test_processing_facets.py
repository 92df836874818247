"""The facet of processing steps that a header states."""

import pytest

from motif.ingest.readers.asylum.asylum_note import asylum_processing
from motif.ingest.readers.kit import processing_by_settings, processing_facets

RULES = (("Spike filter", "spike filter"), ("ZFF", "zero filling"))


@pytest.mark.parametrize("value", ["", "0", "Off", "None", "no", "Cosmic ray removal: 0", "-1"])
def test_steps_that_were_not_applied(value: str) -> None:
    assert processing_by_settings([("Spike filter", value)], RULES) == []


def test_steps_have_their_settings_and_an_origin() -> None:
    header = [("zff", "2"), ("spike filter", "Filter: Single"), ("ZFF", "9")]
    (facet,) = processing_by_settings(header, RULES)
    assert facet.value == "spike filter Single; zero filling 2"
    assert facet.origin == "header:Spike filter"
    (on,) = processing_by_settings([("Spike filter", "On")], RULES)
    assert on.value == "spike filter"


def test_asylum_steps_are_listed_by_plane() -> None:
    header = [
        ("Planefit 0", "Flatten 1"), ("FlattenOrder 0", "1"), ("Planefit 1", "None"),
        ("FlattenOrder 1", "-1"), ("FlattenOrder 2", "0"), ("Planefit 9", "Flatten 3"),
    ]  # fmt: skip
    (facet,) = asylum_processing(header, ["Height", "Phase", "ZSensor", "AmplitudeTraceMod0"])
    steps = ["Height: Flatten 1", "ZSensor: Flatten 0", "AmplitudeTraceMod0: changed by hand"]
    assert facet.value == "; ".join(steps)
    assert asylum_processing(header, []) == []


def test_many_steps_are_cut_off() -> None:
    (facet,) = processing_facets((f"step {n}" for n in range(1000)), "log")
    assert len(str(facet.value)) <= 200
    assert processing_facets(["", ""], "log") == []
