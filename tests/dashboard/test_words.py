"""Numbers, times and units as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from motif.dashboard.data.number_format import ago, duration, ends, quantity, written
from motif.dashboard.data.study_view import direction
from motif.dashboard.pages.jobs_page import counts_text, log_tail

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.5e-6, "m", "2.5 µm"), (9.9999e-7, "m", "1 µm"), (3e-12, "m", "3 pm"), (0.0, "m", "0 m"),
        (298.15, "K", "298.1 K"), (1500.0, "V", "1.5 kV"), (0.25, "", "0.25"),
        (float("nan"), "m", "–"), (12.0, "W/m**2", "12 W/m²"), (-2e-9, "m", "-2 nm"),
    ],
)  # fmt: skip
def test_quantities(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("unit", "text"),
    [("1/cm", "cm⁻¹"), ("mW/cm^2", "mW/cm²"), ("m**2", "m²"), ("1/m**2", "m⁻²"), ("a.u.", "a.u.")],
)
def test_units(unit: str, text: str) -> None:
    assert written(unit) == text


@pytest.mark.parametrize(
    ("back", "text"),
    [
        (timedelta(seconds=20), "just now"), (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"), (timedelta(days=3), "3 days ago"),
    ],
)  # fmt: skip
def test_ages(back: timedelta, text: str) -> None:
    assert ago((NOW - back).isoformat(), NOW) == text


def test_an_age_that_is_not_a_time_is_shown_as_it_is() -> None:
    assert ago("yesterday", NOW) == "yesterday"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "0.5 s"), (42, "42 s"), (125, "2 min 05 s"), (7_260, "2 h 01 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_numbers_of_a_run_in_words() -> None:
    assert counts_text({"ingest pfm": {"new": 3, "deleted": 0, "unchanged": 1200}}) == (
        "ingest pfm: 3 new, 1,200 unchanged"
    )
    assert counts_text({"ingest pfm": {"new": 0}}) == "ingest pfm: nothing to do"


def test_a_log_outside_the_workspace_is_not_read(tmp_path: object) -> None:
    from pathlib import Path

    root = Path(str(tmp_path)) / "lab"
    (root / "logs").mkdir(parents=True)
    (root / "logs" / "a.log").write_text("it went well")
    (root.parent / "secret.log").write_text("secret")
    assert log_tail(root, "logs/a.log") == "it went well"
    assert log_tail(root, "../secret.log") == ""
    assert log_tail(root, "") == ""


def test_a_direction_names_strong_elements_and_their_agreement() -> None:
    mean, std = np.array([0.02, -0.01, 0.0001]), np.array([0.004, 0.002, 0.1])
    expected = direction(["Mo", "Bi", "W"], mean, std, np.array([1.0, 0.75, 0.5]), "mW per at.%", 8)
    assert expected.startswith(
        "It would rise with more Mo (+0.02 ± 0.004, 8 of 8 agree), less Bi (−0.01"
    )
    assert "6 of 8" in expected
    assert " W " not in expected


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (0.0, 2e-9, "m", ("0 nm", "2 nm")),
        (-4e-10, 2e-9, "m", ("-0.4 nm", "2 nm")),
        (-3.0, 1.5, "rad", ("-3 rad", "1.5 rad")),
        (float("nan"), 1.0, "V", ("–", "1 V")),
    ],
)
def test_both_ends_of_a_range_have_one_prefix(
    low: float, high: float, unit: str, expected: tuple[str, str]
) -> None:
    assert ends(low, high, unit) == expected
