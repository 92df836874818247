import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.core.facets.clock import iso_moment
from motif.core.facets.facet_remap import remap, survey
from motif.core.facets.facet_rules import as_quantity, lookup
from motif.core.records import Facet
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

SCAN = np.zeros((3, 4, 4))


def with_config(workspace: Workspace, text: str) -> Workspace:
    (workspace.root / "motif.toml").write_text(text)
    return Workspace.open(workspace.root)


def facets_of(workspace: Workspace, **metadata: object) -> dict[str, object]:
    fill(workspace, "pfm", {"a": [image(SCAN)]}, {"a": metadata})
    (row,) = workspace.select("pfm")
    return dict(workspace.facets([row.id])[row.id])


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("2500 mV", "", (2.5, "V")),
        (2, "um", (2e-6, "m")),
        ("25 degC", "", (298.15, "K")),
        ("-1.5e-3V", "", (-0.0015, "V")),
        (25, "", None),
        ("a lot", "", None),
        ("5.5.0.21066", "", None),
        ("1.2.3 V", "", None),
        ("...", "", None),
        ("9e999 V", "", None),
        ("3 parsnips", "", None),
        (True, "V", None),
        (float("nan"), "V", None),
    ],
)
def test_quantities(value: object, unit: str, expected: tuple[float, str] | None) -> None:
    quantity = as_quantity(value, unit)
    assert quantity == (expected if expected is None else (pytest.approx(expected[0]), expected[1]))


@settings(max_examples=400, deadline=None)
@given(
    st.text(max_size=20) | st.from_regex(r"[-+]?[\d.eE]{1,6} ?[a-zA-Z/*^.\d ]{0,8}"),
    st.text(max_size=6),
)
def test_any_text_is_a_quantity_or_none(value: str, unit: str) -> None:
    quantity = as_quantity(value, unit)
    assert quantity is None or np.isfinite(quantity[0])


def test_times_are_utc() -> None:
    assert iso_moment("2019-05-04T12:00:00+02:00") == "2019-05-04T10:00:00Z"
    assert iso_moment("2019-05-04") == "2019-05-04T00:00:00"
    assert iso_moment("yesterday") is None


def test_lookup_in_nested_metadata() -> None:
    assert lookup({"growth": {"temperature": 900}}, "growth.temperature") == 900
    assert lookup({"growth": 3}, "growth.temperature") is None


def test_declared_facets_and_remapping(workspace: Workspace) -> None:
    metadata = {"growth": {"temperature": 900}, "operator": "xu"}
    assert "growth" not in facets_of(workspace, **metadata)
    with with_config(
        workspace,
        '[facets.growth]\npath = "record:growth.temperature"\nunit = "degC"\n'
        '[facets.key]\npath = "header:Key"\n',
    ) as opened:
        snapshot = opened.store.snapshot()
        assert remap(opened) == 1
        (row,) = opened.select("pfm", "growth > 1000 K")
        facets = opened.facets([row.id])[row.id]
        assert facets["growth"] == pytest.approx(1173.15)
        assert facets["key"] == "value"
        assert opened.store.snapshot().array(row.array).shape == snapshot.array(row.array).shape
    with with_config(workspace, "") as opened:
        remap(opened)
        facets = opened.facets([row.id])[row.id]
        assert "growth" not in facets
        assert "key" not in facets
        assert facets["operator"] == "xu"


def test_survey_lists_the_keys_of_headers_and_metadata(workspace: Workspace) -> None:
    fill(
        workspace, "pfm", {"a": [image(SCAN)], "b": [image(SCAN)]},
        {"a": {"tip": {"voltage": 2.5}}, "b": {"note": "fine", "laser": "532 nm"}},
    )  # fmt: skip
    offers = {offer.path: offer for offer in survey(workspace, "pfm")}
    assert offers["header:Key"].share == 1
    assert offers["record:tip.voltage"].share == 0.5
    assert offers["record:tip.voltage"].unit == "V"
    assert offers["record:laser"].unit == "nm"
    assert offers["record:note"].examples == ["fine"]
    assert offers["record:note"].unit == ""


def test_disagreements_can_be_queried(workspace: Workspace) -> None:
    facet = Facet("material", "PbTiO3", "header:Sample")
    fill(
        workspace, "pfm", {"a": [image(SCAN, facets=[facet])], "b": [image(SCAN)]},
        {"a": {"material": "BiFeO3"}, "b": {"material": "BiFeO3"}},
    )  # fmt: skip
    assert [row.record_id for row in workspace.select("pfm", "has disagreement")] == ["test:a"]
    assert workspace.counts()["disagreeing"] == 1
    remap(workspace)
    assert [row.record_id for row in workspace.select("pfm", "has disagreement")] == ["test:a"]


def test_keys_with_several_values_come_first(workspace: Workspace) -> None:
    metadata = {"a": {"same": 1, "Laser (mW)": 3, "who": "x"}, "b": {"same": 1, "Laser (mW)": 5}}
    fill(workspace, "pfm", {name: [image(SCAN)] for name in metadata}, metadata)
    offers = survey(workspace, "pfm")
    assert [offer.path for offer in offers] == [
        "record:Laser (mW)", "header:Key", "record:same", "record:who",
    ]  # fmt: skip
    assert [offer.values for offer in offers] == [2, 1, 1, 1]
    assert offers[0].unit == "mW"


def test_the_list_of_facets_fits_a_terminal(workspace: Workspace) -> None:
    metadata = {"a" * 60: "x" * 300, "volt": 2, "lines": "one\ntwo"}
    fill(workspace, "pfm", {"a": [image(SCAN)]}, {"a": metadata})
    command = [
        sys.executable,
        "-m",
        "motif.core.cli.command_line",
        "-w",
        str(workspace.root),
        "facets",
    ]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = done.stdout.splitlines()
    assert len(lines) == 6
    assert max(map(len, lines)) <= 80
    few = subprocess.run([*command, "--like", "VOLT", "--limit", "1"], capture_output=True,
                         text=True, check=True, env=environment)  # fmt: skip
    assert "record:volt" in few.stdout
    assert "record:lines" not in few.stdout
