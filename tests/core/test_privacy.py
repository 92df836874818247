from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.catalog.intake import Intake, NewRecord
from motif.core.facets.facet_remap import remap, survey
from motif.core.facets.privacy import Privacy, masked
from motif.core.records import Asset, Facet, Measurement, Reading
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

SCAN = np.zeros((3, 4, 4))
PSEUDONYMISE = '[privacy]\npeople = "pseudonymise"\n'
DROP = '[privacy]\npeople = "drop"\n'
DECLARED = """
[facets.grower]
path = "record:grown_by"
person = true
[facets.saved]
path = "header:SaveImage"
"""
HEADER = [("SaveImage", r"C:\Users\jdoe\Documents\PTO"), ("Contact", "jane.doe@lab.org")]


def with_config(workspace: Workspace, text: str) -> Workspace:
    workspace.close()
    (workspace.root / "motif.toml").write_text(text)
    return Workspace.open(workspace.root)


def ingest(workspace: Workspace, *facets: Facet, title: str = "a scan", **metadata: object) -> None:
    """Store one record whose file has `HEADER` and the facets."""
    scan = image(SCAN, facets=facets)
    scan = Measurement(scan.key, scan.kind, title, scan.data, scan.facets)
    asset = Asset("a", title, "1", "1", "a.ibw", metadata=metadata)
    record = NewRecord(asset, Reading([scan], HEADER), "test", 1, "00", 0)
    Intake(workspace, "test", "pfm", workspace.mapper()).commit([record], (), ())


def facets(workspace: Workspace) -> dict[str, object]:
    (row,) = workspace.select("pfm")
    return dict(workspace.facets([row.id])[row.id])


def is_found(workspace: Workspace, phrase: str) -> bool:
    by_sql = workspace.select("pfm", f'text "{phrase}"')
    assert bool(by_sql) == bool(workspace.columns("pfm").mask(f'text "{phrase}"').any())
    return bool(by_sql)


def test_people_become_pseudonyms(workspace: Workspace) -> None:
    with with_config(workspace, PSEUDONYMISE) as opened:
        ingest(
            opened, operator="Ruijuan Xu", made_by="XU,  ruijuan", purpose="ask a@b.org",
            title="for Ruijuan Xu",
        )  # fmt: skip
        shown_facets = facets(opened)
        assert str(shown_facets["operator"]).startswith("person-")
        assert shown_facets["operator"] == shown_facets["made_by"]
        assert "a@b.org" not in str(shown_facets["purpose"])
        assert (opened.root / "privacy.key").stat().st_mode & 0o777 == 0o600
        (row,) = opened.select("pfm", f'operator = "{shown_facets["operator"]}"')
        assert row.title == f"for {shown_facets['operator']}"
        assert opened.record(row.record_id).metadata["operator"] == "Ruijuan Xu"


@pytest.mark.parametrize("policy", [PSEUDONYMISE, DROP])
def test_personal_data_cannot_be_searched(policy: str, workspace: Workspace) -> None:
    with with_config(workspace, policy + DECLARED) as opened:
        ingest(
            opened, Facet("operator", "Jane Doe", "header:User"),
            Facet("comment", "jdoe saw Jane Doe; write jane.doe@lab.org", "header:Note"),
            title="Jane Doe, /home/jdoe/scan", grown_by="Rama Vasudevan",
            note="thanks to rama vasudevan, jane.doe@lab.org",
        )  # fmt: skip
        for phrase in ("jane doe", "jdoe", "jane.doe@", "Vasudevan"):
            assert not is_found(opened, phrase), phrase
        assert is_found(opened, "thanks to")
        shown = repr(facets(opened)) + opened.record("test:a").title + opened.select("pfm")[0].title
        for word in ("Jane", "jdoe", "lab.org", "Rama"):
            assert word not in shown
        assert ("grower" in facets(opened)) == (policy == PSEUDONYMISE)
        assert r"\Documents\PTO" in str(facets(opened)["saved"])
        examples = repr([offer.examples for offer in survey(opened)])
        for word in ("Jane", "jdoe", "lab.org", "Rama"):
            assert word not in examples


def test_one_person_has_one_pseudonym_in_every_format(workspace: Workspace) -> None:
    with with_config(workspace, PSEUDONYMISE + DECLARED) as opened:
        ingest(opened, Facet("operator", "jdoe", "header:user"))
        shown_facets = facets(opened)
        assert str(shown_facets["operator"]) in str(shown_facets["saved"])


@pytest.mark.parametrize("policy", [PSEUDONYMISE, DROP])
def test_a_changed_policy_applies_to_old_records_and_can_be_reverted(
    policy: str, workspace: Workspace
) -> None:
    ingest(workspace, Facet("operator", "Jane Doe", "header:User"), title="by Jane Doe")
    before = facets(workspace)
    with with_config(workspace, policy) as opened:
        remap(opened)
        assert opened.select("pfm", 'operator = "Jane Doe"') == []
        assert not is_found(opened, "Jane Doe")
        assert not is_found(opened, "jdoe")
        assert "Jane" not in opened.select("pfm")[0].title + opened.record("test:a").title
        opened.reindex()
        assert not is_found(opened, "Jane Doe")
    with with_config(workspace, "") as opened:
        remap(opened)
        assert facets(opened) == before
        assert opened.select("pfm")[0].title == opened.record("test:a").title == "by Jane Doe"
        assert is_found(opened, "jdoe")


def test_disagreements_hide_names(workspace: Workspace) -> None:
    with with_config(workspace, PSEUDONYMISE) as opened:
        ingest(
            opened, Facet("operator", "Jane Doe", "header:User"),
            Facet("material", "PZT of a@b.org", "header:Sample"), material="PTO", operator="Ed Poe",
        )  # fmt: skip
        (disagreement,) = opened.record("test:a").disagreements
        assert disagreement["facet"] == "material"
        assert "a@b.org" not in disagreement["header"]
        assert len(opened.select("pfm", "has disagreement")) == 1


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Users\jdoe\x.ibw", "/home/jdoe/x", "/Users/jdoe/Desktop", "C:Users:jdoe:Documents:",
        r"C:\Documents and Settings\jdoe\x", "saved in /home/jdoe yesterday", r"\\pc\users\jdoe",
        "C:Users:Asylum User:Documents:Users:jdoe:For HN:",
    ],
)  # fmt: skip
def test_folders_of_people_on_every_system(path: str, tmp_path: Path) -> None:
    masks = Privacy("drop", tmp_path).masks([], [path])
    assert "jdoe" not in masked(path, masks)
    assert "jdoes" in masked(f"{path} jdoes", masks), "only whole words are names"


def test_generic_accounts_are_not_names(tmp_path: Path) -> None:
    privacy = Privacy("pseudonymise", tmp_path)
    facets = [Facet("operator", "Raman", "header:user")]
    masks = privacy.masks(facets, ["C:Users:Asylum User:Documents"])
    assert masks == []
    technique = Facet("technique", "Raman spectroscopy", "header:XLST.unit")
    assert privacy.applied([*facets, technique], masks)[1] == technique


@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_masking_any_text_never_fails(text: str, names: list[str]) -> None:
    assert isinstance(masked(text, [[name, "x"] for name in names]), str)


def test_the_policy_keep_changes_nothing(workspace: Workspace) -> None:
    fill(workspace, "pfm", {"a": [image(SCAN)]}, {"a": {"operator": "jane.doe@lab.org"}})
    assert facets(workspace)["operator"] == "jane.doe@lab.org"
    assert not (workspace.root / "privacy.key").exists()
