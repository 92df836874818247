"""Commands that replace tainted results, from parameters and summaries alone."""

from __future__ import annotations

from typing import Any

import pytest

from motif.core.catalog.rows import Derivation
from motif.core.provenance.rebuild_commands import (
    NOT_TAINTED,
    exclude_tainted,
    original_filter,
    rebuild_command,
    request_key,
)


def result(
    stage: str,
    parameters: dict[str, Any] | None = None,
    summary: dict[str, Any] | None = None,
    collection: str = "pfm",
) -> Derivation:
    return Derivation("0" * 32, stage, collection, parameters or {}, summary or {}, "", 0.0, "", 1)


@pytest.mark.parametrize(
    ("stage", "parameters", "summary", "command"),
    [
        ("projection", {}, {}, 'motif project pfm --where "not has tainted"'),
        ("projection", {"seed": 42, "dims": 2}, {}, 'motif project pfm --where "not has tainted"'),
        ("projection", {"dims": 3}, {}, 'motif project pfm --dims 3 --where "not has tainted"'),
        ("projection", {}, {"min_dist": 0.2},
         'motif project pfm --min-dist 0.2 --where "not has tainted"'),
        ("projection", {"weights": {"a.b": 2.0, "c": 0.5}}, {},
         'motif project pfm --weight a.b=2 --weight c=0.5 --where "not has tainted"'),
        ("ensemble-member", {"target": "P at 1 V", "seed": 3}, {},
         "motif train composition pfm --target 'P at 1 V' --where \"not has tainted\""),
        ("composition-baselines", {"folds": 3}, {},
         'motif train composition pfm --baselines --folds 3 --where "not has tainted"'),
        ("learning-curve", {"partition": "stratified 0"}, {},
         'motif learning-curve pfm --stratify --where "not has tainted"'),
        ("suggestions", {"count": 10}, {"target": "Tc"}, "motif suggest pfm --target Tc"),
        ("integrated-gradients", {}, {}, "motif gradients pfm --integrated"),
    ],
)  # fmt: skip
def test_commands_repeat_what_differs_from_the_defaults(
    stage: str, parameters: dict[str, Any], summary: dict[str, Any], command: str
) -> None:
    assert rebuild_command(result(stage, parameters, summary)) == command


@pytest.mark.parametrize(
    "stage", ["embedding", "tiles", "placement", "label", "map-note", "spectral-basis", "other"]
)
def test_other_stages_have_no_command(stage: str) -> None:
    assert rebuild_command(result(stage)) == ""
    assert request_key(result(stage)) == ""


def test_names_are_quoted_for_the_shell() -> None:
    command = rebuild_command(result("projection", collection="my scans; rm"))
    assert command.startswith("motif project 'my scans; rm' ")
    filtered = rebuild_command(result("projection", {"where": 'mode = "$HOME"'}))
    assert filtered.endswith("--where '(mode = \"$HOME\") and not has tainted'")


def test_selections_and_parents_need_more_than_a_command() -> None:
    chosen = rebuild_command(result("projection", {"selection": True}))
    assert chosen.startswith('choose its points again, from "pfm"')
    part = rebuild_command(result("projection", {"parent": "ab" * 16, "dims": 3}))
    assert part == (
        f"rebuild the map {'ab' * 16}, of which this is a part, then run motif project pfm --dims 3"
        ' --where "not has tainted" --parent with the id of the new map'
    )


def test_orders_from_a_file_are_named() -> None:
    given = result("gradients", {"partition": "ab" * 16}, {"shuffle_index": "orders.txt"})
    assert rebuild_command(given).endswith(" --shuffle-index with the file orders.txt")
    unnamed = result("gradients", {"partition": "ab" * 16})
    assert rebuild_command(unnamed).endswith("with the file that ordered its samples")


def test_a_result_and_its_replacement_have_one_key() -> None:
    tainted = result("projection", {"where": "x > 2", "dims": 3})
    replacement = result("projection", {"where": exclude_tainted("x > 2"), "dims": 3})
    assert request_key(tainted) == request_key(replacement)
    for other in (
        result("projection", {"where": "x > 3", "dims": 3}),
        result("projection", {"where": "x > 2"}),
        result("projection", {"where": "x > 2", "dims": 3, "parent": "ab"}),
        result("projection", {"where": "x > 2", "dims": 3, "selection": True}),
        result("projection", {"where": "x > 2", "dims": 3}, collection="other"),
    ):
        assert request_key(other) != request_key(tainted)


@pytest.mark.parametrize("where", ["", "x > 2", 'mode = "PFM" or x > 2', "(a) and (b)"])
def test_excluding_tainted_measurements_can_be_undone(where: str) -> None:
    excluded = exclude_tainted(where)
    assert excluded.endswith(NOT_TAINTED)
    assert exclude_tainted(excluded) == excluded
    assert original_filter(excluded) == where
    assert original_filter(where) == where
