"""Nothing from outside becomes a path."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.errors import SourceError
from motif.core.records import canonical_json
from motif.ingest.datafed import record_documents
from motif.ingest.datafed.file_transfers import RawFile


@given(st.text(max_size=30))
def test_names_are_digits_and_a_plain_extension(name: str) -> None:
    safe = RawFile("d/123", 1, name).safe_name
    assert safe.partition(".")[0] == "123"
    assert "/" not in safe
    assert "\\" not in safe
    assert safe.isascii()
    assert len(safe) < 24


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("scan.ibw", "7.ibw"),
        ("SCAN.IBW", "7.ibw"),
        ("../../x", "7"),
        ("a.b/../../etc/passwd", "7"),
        ("x.i\x00bw", "7"),
        ("x.ib w", "7"),
        (".bashrc", "7"),
        ("archive.tar.gz", "7.gz"),
        ("bruker.000", "7.000"),
        ("x." + "y" * 40, "7"),
        ("", "7"),
    ],
)
def test_extensions(name: str, safe: str) -> None:
    assert RawFile("d/7", 1, name).safe_name == safe


def test_export_and_view_give_the_same_document() -> None:
    viewed = record_documents.from_view(
        {
            "id": "d/1",
            "title": "t",
            "metadata": '{"a": 1}',
            "size": 5.0,
            "deps": [
                {"id": "d/3", "type": 2, "dir": 1},
                {"id": "d/2", "type": 0, "dir": 1},
                {"id": "d/9", "type": 0, "dir": 0},
            ],
        }
    )
    exported = record_documents.from_export(
        '{"id": "d/1", "title": "t", "md": {"a": 1}, "size": 5,'
        ' "deps": [{"id": "d/2", "type": 0}, {"id": "d/3", "type": 2}]}'
    )
    assert viewed == exported
    assert viewed["dependencies"] == [{"id": "d/2", "type": "der"}, {"id": "d/3", "type": "ver"}]


fields = ("id", "title", "md", "metadata", "size", "tags", "deps", "ct", "external", "source")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(fields), anything))
def test_any_export_is_parsed_or_refused(data: dict[str, object]) -> None:
    try:
        record = record_documents.from_export(json.dumps(data))
    except SourceError:
        return
    canonical_json(record)
    assert record["id"]
    assert 0 <= record["size"] < 2**63


@pytest.mark.parametrize("text", ["", "[]", '{"title": "no id"}', "{", '{"id": "d/1", "md": "{"}'])
def test_invalid_exports_are_named(text: str) -> None:
    with pytest.raises(SourceError):
        record_documents.from_export(text)
