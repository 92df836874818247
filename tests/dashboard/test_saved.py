"""Filters with a name, in a file anybody may have edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from motif.core.errors import ConfigError
from motif.dashboard.state.saved_filters import FILE, Saved
from motif.dashboard.state.view_state import View

FILTER = View(collection="pfm", where="scan_size > 1 um", facets={"material": ("PbTiO3", "ÄÖ&=")})


def test_a_filter_is_saved_replaced_and_forgotten(tmp_path: Path) -> None:
    saved = Saved(tmp_path)
    assert saved.all() == {}
    saved.save("  large ", FILTER)
    saved.save("all", View(collection="pfm", id="0" * 32))
    assert saved.all() == {"all": View(collection="pfm"), "large": FILTER}
    saved.save("large", View(collection="other"))
    assert saved.all()["large"] == View(collection="other")
    saved.forget("large")
    saved.forget("never there")
    assert list(saved.all()) == ["all"]


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', "{", '"x"'])
def test_a_damaged_file_holds_no_filters(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert Saved(tmp_path).all() == {}
    Saved(tmp_path).save("new", FILTER)
    assert Saved(tmp_path).all() == {"new": FILTER}


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "\x00"])
def test_a_name_is_something_one_can_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        Saved(tmp_path).save(name, FILTER)
