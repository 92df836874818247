import numpy as np
import pytest

from motif.core.clock import Clock, iso_moment
from motif.core.facets import as_quantity, lookup
from motif.core.records import Facet
from motif.core.remapping import remap, survey
from motif.core.testing.filling import fill, image
from motif.core.workspace import Workspace

SCAN = np.zeros((3, 4, 4))


def with_config(workspace: Workspace, text: str) -> Workspace:
    (workspace.root / "motif.toml").write_text(text)
    return Workspace.open(workspace.root)


def one(workspace: Workspace, **metadata: object) -> dict[str, object]:
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
        ("3 parsnips", "", None),
        (True, "V", None),
        (float("nan"), "V", None),
    ],
)
def test_quantities(value: object, unit: str, expected: tuple[float, str] | None) -> None:
    found = as_quantity(value, unit)
    assert found == (expected if expected is None else (pytest.approx(expected[0]), expected[1]))


def test_times_are_utc() -> None:
    assert iso_moment("2019-05-04T12:00:00+02:00") == "2019-05-04T10:00:00Z"
    assert iso_moment("2019-05-04") == "2019-05-04T00:00:00"
    assert iso_moment("yesterday") is None


def test_lookup_in_nested_metadata() -> None:
    assert lookup({"growth": {"temperature": 900}}, "growth.temperature") == 900
    assert lookup({"growth": 3}, "growth.temperature") is None


def test_declared_facets_and_mapping_anew(workspace: Workspace) -> None:
    told = {"growth": {"temperature": 900}, "operator": "xu"}
    assert "growth" not in one(workspace, **told)
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


def test_survey_tells_what_the_archive_offers(workspace: Workspace) -> None:
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


def test_disagreements_can_be_asked_for(workspace: Workspace) -> None:
    facet = Facet("material", "PbTiO3", "header:Sample")
    fill(
        workspace, "pfm", {"a": [image(SCAN, facets=[facet])], "b": [image(SCAN)]},
        {"a": {"material": "BiFeO3"}, "b": {"material": "BiFeO3"}},
    )  # fmt: skip
    assert [row.record_id for row in workspace.select("pfm", "has disagreement")] == ["test:a"]
    remap(workspace)
    assert [row.record_id for row in workspace.select("pfm", "has disagreement")] == ["test:a"]


def test_people_become_pseudonyms(workspace: Workspace) -> None:
    policy = '[privacy]\npeople = "pseudonymise"\n'
    with with_config(workspace, policy) as opened:
        facets = one(opened, operator="Ruijuan Xu", made_by="ruijuan  xu", purpose="ask a@b.org")
        assert str(facets["operator"]).startswith("person-")
        assert facets["operator"] == facets["made_by"]
        assert "a@b.org" not in str(facets["purpose"])
        assert (opened.root / "privacy.key").stat().st_mode & 0o777 == 0o600
        first = facets["operator"]
    with with_config(workspace, policy) as opened:
        remap(opened)
        (row,) = opened.select("pfm", f'operator = "{first}"')
        assert opened.record(row.record_id).metadata["operator"] == "Ruijuan Xu"


def test_people_can_be_left_out_and_come_back(workspace: Workspace) -> None:
    with with_config(workspace, '[privacy]\npeople = "drop"\n') as opened:
        assert "operator" not in one(opened, operator="xu", material="PZT")
    with with_config(workspace, "") as opened:
        remap(opened)
        assert len(opened.select("pfm", 'operator = "xu"')) == 1
