"""What the query box offers, and what it takes a wrong name for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from motif.core.errors import QueryError
from motif.dashboard.data.query_vocabulary import Word, mistake, vocabulary
from motif.dashboard.state.workspace_session import WorkspaceSession


def words(session: WorkspaceSession, collection: str = "pfm") -> dict[str, Word]:
    return {word.name: word for word in vocabulary(session.table(collection))}


def test_every_facet_is_offered_with_what_it_is(session: WorkspaceSession) -> None:
    found = words(session)
    assert {*session.table("pfm").columns} <= {*found}
    assert {"id", "title", "record", "kind", "collection"} <= {*found}
    assert found["material"].kind == "text"
    assert found["material"].about == "3 values"
    assert found["scan_size"].about == "1 µm – 5 µm"
    assert {"nm", "um", "m"} <= {*found["scan_size"].units}
    assert found["acquired_at"].kind == "date"
    assert found["simulated"].values == ("true", "false")


@pytest.mark.parametrize("collection", ["pfm", "library"])
def test_every_value_offered_is_one_the_language_reads(
    session: WorkspaceSession, collection: str
) -> None:
    for word in words(session, collection).values():
        for value in word.values:
            session.workspace.select(collection, f"{word.name} = {value}")
        for unit in word.units:
            session.workspace.select(collection, f"{word.name} = 1 {unit}")


def test_every_text_value_offered_finds_something(session: WorkspaceSession) -> None:
    columns = session.workspace.columns("pfm")
    for word in words(session).values():
        if word.kind == "text":
            for value in word.values:
                assert np.any(columns.mask(f"{word.name} = {value}")), (word.name, value)


def _error(session: WorkspaceSession, query: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        session.workspace.columns("pfm").mask(query)
    return caught.value


def test_a_wrong_name_is_marked_and_the_nearest_is_offered(session: WorkspaceSession) -> None:
    query = 'material = "PZT" and scan_siz <= 1 um'
    found = mistake(_error(session, query), session.table("pfm"))
    assert query[found.start : found.end] == "scan_siz"
    part, corrected = found.instead[0]
    assert part == "scan_size"
    assert corrected == 'material = "PZT" and scan_size <= 1 um'
    session.workspace.columns("pfm").mask(corrected)


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("scan_size <= 1 K", "1"), ('material = "PZT', '"PZT'), ("material =", ""),
        ("(material", ""), ("scan_size <= 1 um and", ""), ("material & x", "&"),
    ],
)  # fmt: skip
def test_other_mistakes_are_marked_where_they_are(
    session: WorkspaceSession, query: str, marked: str
) -> None:
    found: Any = mistake(_error(session, query), session.table("pfm"))
    assert query[found.start : found.end] == marked
    assert found.instead == ()
    assert found.message
