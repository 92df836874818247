import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.ingest.readers.asylum.asylum_note import (
    AsylumNote,
    channel_unit,
    clean_label,
    note_facets,
    parse_note,
)
from motif.ingest.readers.kit import numbered_names


@pytest.mark.parametrize(
    ("stored", "clean"),
    [
        ("HeightRetrace", "HeightRetrace"),
        ("PhaseRetracerace", "PhaseRetrace"),
        ("DeflectionRetracee", "DeflectionRetrace"),
        ("UserIn0Retracetrace", "UserIn0Retrace"),
        ("AmplitudeTrace", "AmplitudeTrace"),
        ("PhaseTraceetrace", "PhaseTrace"),
        ("HeightRetraceMod0", "HeightRetraceMod0"),
        ("Bias", "Bias"),
    ],
)
def test_labels_are_cut_to_their_stem(stored: str, clean: str) -> None:
    assert clean_label(stored) == clean


def test_equal_channels_are_numbered() -> None:
    assert numbered_names(["A", "B", "A"]) == ["A", "B", "A 2"]


def test_units_come_from_the_note_then_from_the_convention() -> None:
    note = AsylumNote([("UserIn0Unit", "A"), ("UserCalcUnit", "°")])
    channels = ("UserIn0Trace", "UserIn1Trace", "UserCalcRetrace", "Phase2Retrace", "XTrace")
    assert [channel_unit(c, note) for c in channels] == ["A", "V", "deg", "deg", ""]
    assert channel_unit("NapPhaseRetrace", note) == "deg"


@pytest.mark.parametrize(("scan_down", "direction"), [("0", "up"), ("1", "down")])
def test_line_order_and_lift_pass_are_facets(scan_down: str, direction: str) -> None:
    header = [("ScanDown", scan_down), ("NapMode", "Nap"), ("NapMode", "1")]
    facets = {f.name: (f.value, f.origin) for f in note_facets(header)}
    assert facets["scan_direction"] == (direction, "header:ScanDown")
    assert facets["nap_mode"] == ("Nap", "header:NapMode")
    assert "nap_mode" not in {f.name for f in note_facets([("NapMode", "Off")])}


def test_lines_are_split_at_their_first_colon_and_markers_kept() -> None:
    note = "Time:5:18:38 PM\rCypher Temps Start\r\rSaveImage: C:Users:x:\r"
    assert parse_note(note) == [
        ("Time", "5:18:38 PM"),
        ("Cypher Temps Start", ""),
        ("SaveImage", "C:Users:x:"),
    ]


@given(st.lists(st.tuples(st.text("abcXYZ 12", min_size=1), st.text("ab:µ°1. ", max_size=9))))
def test_notes_round_trip(pairs: list[tuple[str, str]]) -> None:
    pairs = [(k.strip(), v.strip()) for k, v in pairs if k.strip()]
    assert parse_note("".join(f"{k}: {v}\r" for k, v in pairs)) == pairs


@given(st.text())
def test_any_note_gives_facets_without_failing(note: str) -> None:
    for facet in note_facets(parse_note(note + "\rSeconds: " + note + "\rScanSize:" + note)):
        assert facet.name


@pytest.mark.parametrize("seconds", ["1e300", "-5", "inf", "abc", "", "0"])
def test_impossible_times_are_left_out(seconds: str) -> None:
    assert not [f for f in note_facets([("Seconds", seconds)]) if f.name == "acquired_at"]


def test_date_and_time_replace_missing_seconds() -> None:
    facets = note_facets([("Date", "2021-01-07"), ("Time", "5:18:38 PM")])
    assert [(f.value, f.origin) for f in facets] == [("2021-01-07T17:18:38", "header:Date")]


def test_heater_temperature_is_in_kelvin() -> None:
    (facet,) = note_facets([("StartHeaterTemp", "NaN °C"), ("StartHeaterTemp", "80.5 °C")])
    assert (facet.name, facet.value, facet.unit) == ("temperature", 353.65, "K")
