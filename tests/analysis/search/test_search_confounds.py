"""The facets of an answer, and the alarm when something else than the material explains it."""

from __future__ import annotations

import numpy as np
import pytest

from motif.analysis.search.answer_facets import alarm, facets_of_answer
from motif.analysis.search.confounding import examine, mutual_information
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.core.catalog.database import MeasurementRow
from motif.core.records import Facet, Measurement
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace

AXIS = np.linspace(100.0, 1100.0, 200)


def pool(n: int, seed: int = 0, *, bound: float = 0.0) -> list[dict[str, str]]:
    """Measurements of three materials and four operators; a share of them tied to each other."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        material = int(rng.integers(3))
        operator = material if rng.random() < bound else int(rng.integers(4))
        made.append({"material": f"m{material}", "operator": f"o{operator}", "instrument": "AFM"})
    return made


def test_an_operator_who_explains_the_similarity_raises_the_alarm() -> None:
    everything = pool(600)
    asked = [{"material": "m0", "operator": "o0"}]
    hits = [one for one in everything if one["operator"] == "o0"][:20]
    explanation = examine(asked, hits, everything)
    assert explanation.confounded
    (worst, *_) = explanation.confounders
    assert (worst.name, worst.value, worst.share) == ("operator", "o0", 1.0)
    assert worst.excess == pytest.approx(1.0)
    assert worst.p < 0.01
    assert "100% of the hits share the operator o0" in explanation.sentence
    assert explanation.material is not None
    assert f"{explanation.material.chance:.0%}" in explanation.sentence
    assert explanation.document()["confounders"][0]["name"] == "operator"


def test_a_material_that_explains_it_does_not() -> None:
    everything = pool(600)
    hits = [one for one in everything if one["material"] == "m0"][:20]
    explanation = examine([{"material": "m0", "operator": "o0"}], hits, everything)
    assert not explanation.confounded
    assert explanation.material is not None
    assert explanation.material.share == 1.0
    assert explanation.sentence.startswith("No instrument")


def test_an_operator_that_only_comes_with_the_material_does_not() -> None:
    """Nine tenths of a material are one operator's: sharing both is not evidence for the
    operator."""
    everything = pool(600, bound=0.85)
    rng = np.random.default_rng(1)
    group = [one for one in everything if one["material"] == "m0"]
    for _ in range(20):
        chosen = rng.choice(len(group), 20, replace=False)
        explanation = examine(
            [{"material": "m0", "operator": "o0"}], [group[n] for n in chosen], everything
        )
        assert not explanation.confounded


def test_what_cannot_be_distinguished_is_reported() -> None:
    everything = pool(300, bound=1.0)
    hits = [one for one in everything if one["material"] == "m0"][:20]
    explanation = examine([{"material": "m0", "operator": "o0"}], hits, everything)
    assert not explanation.confounded
    assert "coincide here" in explanation.sentence
    assert explanation.confounders[0].with_material == pytest.approx(1.0)


def test_chance_raises_no_more_alarms_than_its_level() -> None:
    everything = pool(400)
    rng = np.random.default_rng(3)
    alarms = 0
    for trial in range(60):
        chosen = rng.choice(len(everything), 15, replace=False)
        hits = [everything[n] for n in chosen]
        alarms += examine([], hits, everything, seed=trial).confounded
    assert alarms <= 3


def test_few_hits_and_silent_facets_conclude_nothing() -> None:
    everything = pool(50)
    assert "too few" in examine([], everything[:3], everything).sentence
    silent = [{"material": "m0"}] * 20
    assert "Nothing tells" in examine([], silent, silent).sentence


def test_mutual_information_is_one_for_columns_that_determine_each_other() -> None:
    assert mutual_information(["a", "b", "a"], ["x", "y", "x"]) == pytest.approx(1.0)
    assert mutual_information(["a", "a"], ["x", "y"]) == 0.0
    assert mutual_information(["a", "b"] * 8, ["x", "x", "y", "y"] * 4) == pytest.approx(0.0)


def measured(number: int, peak: float, **facets: str) -> Measurement:
    made = spectrum(np.exp(-(((AXIS - peak) / 30) ** 2)), AXIS, f"s{number}", {}, {})
    given = [Facet(name, value, "test") for name, value in facets.items()]
    return Measurement(made.key, "spectrum", made.title, made.data, given)


@pytest.fixture
def lab(workspace: Workspace) -> list[MeasurementRow]:
    """Spectra whose peak depends on who measured them and not on the material."""
    rng = np.random.default_rng(0)
    made = []
    for n in range(120):
        operator, material = n % 3, int(rng.integers(3))
        peak = 350 + 250 * operator + rng.normal(scale=5)
        made.append(
            measured(
                n,
                peak,
                operator=f"o{operator}",
                material=f"m{material}",
                acquired_at=f"2021-05-{1 + n // 10:02d}T08:00:00Z",
            )
        )
    return fill(workspace, "lib", {"all": made})


def test_an_answer_tells_what_it_shares_and_what_confounds_it(
    workspace: Workspace, lab: list[MeasurementRow]
) -> None:
    one = lab[0].id
    operator = workspace.facets([one])[one]["operator"]
    hits = search(workspace, SearchRequest("lib", ids=[one], k=20))
    first, *_ = facets_of_answer(workspace, "lib", hits)
    assert (first.name, first.value, first.share) == ("operator", operator, 1.0)
    assert first.lift == pytest.approx(3.0)
    assert first.p < 1e-6
    explanation = alarm(workspace, "lib", hits, [one])
    assert explanation.confounded
    assert explanation.confounders[0].name == "operator"
    assert (explanation.hits, explanation.pool) == (20, 119)
    alone = alarm(workspace, "lib", hits, [one], f'operator = "{operator}"')
    assert not alone.confounded
    assert facets_of_answer(workspace, "lib", []) == []
    assert not alarm(workspace, "lib", []).confounded
