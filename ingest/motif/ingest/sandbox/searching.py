"""Carrying out a search: scope, criteria, order and the paging quirks of the service."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from motif.ingest.sandbox.access import (
    ROLE_MANAGER,
    Permission,
    Row,
    collection_named,
    collections_below,
    permissions,
    project_role,
)
from motif.ingest.sandbox.query_language.operators import QuerySyntaxError
from motif.ingest.sandbox.query_language.parser import Expression, compile_query
from motif.ingest.sandbox.query_language.query_values import EvaluationError, truth
from motif.ingest.sandbox.reply_documents import search_entry
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call
from motif.ingest.sandbox.schema_validation import schema_row

DEFAULT_COUNT = 50
_ID_PART = re.compile(r"(?:d?/)?(\d+)")
_ALIAS_PART = re.compile(r"[a-z0-9_.-]+")
_SORT = {
    pb.SORT_TIME_CREATE: "item.ct",
    pb.SORT_TIME_UPDATE: "item.ut",
    pb.SORT_OWNER: "NULL",
}

Test = Callable[[Row], bool]


def search(call: Call, request: Message, offset: int, count: int) -> Message:
    """Carry out `request`.

    A page beyond the reach of searches is moved back silently, and the total only says
    whether more exists: it is the offset plus at most one more than the page.
    """
    limits = call.service.limits
    count = min(count, limits.page_size)
    if offset + count > limits.search_items:
        offset = limits.search_items - count
    conditions = _Conditions(call, request)
    found, names = [], _OwnerNames(call)
    for place, row in enumerate(conditions.rows()):
        if place >= offset:
            found.append(row)
        if len(found) > count:
            break
    total = offset + len(found)
    distinct = {row["id"]: row for row in found[:count]}
    return pb.ListingReply(
        item=[search_entry(call, row, names[row["owner"]]) for row in distinct.values()],
        offset=offset,
        count=len(distinct),
        total=total,
    )


class _OwnerNames(dict[str, str]):
    """Display names of owners, looked up once."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def __missing__(self, owner: str) -> str:
        row = self._call.db.execute(
            "SELECT last_name || ', ' || first_name FROM account WHERE id = ?", (owner,)
        ).fetchone()
        self[owner] = row[0] if row else ""
        return self[owner]


class _Conditions:
    """The criteria of a search as SQL, and as tests of rows where SQL cannot tell."""

    def __init__(self, call: Call, request: Message) -> None:
        self._call = call
        self._request = request
        self._where: list[str] = []
        self._values: list[Any] = []
        self._tests: list[Test] = []
        self._joined = ""
        self._is_data = request.mode == pb.SM_DATA
        self._add("item.kind = ?", "d" if self._is_data else "c")
        self._scope()
        self._common()
        if self._is_data:
            self._data_only()
        self._visible()

    def _add(self, condition: str, *values: Any) -> None:
        self._where.append(condition)
        self._values.extend(values)

    def rows(self) -> Iterator[Row]:
        """Give matching items in the order asked for; a record linked into several of the
        selected collections comes once for each.
        """
        request = self._request
        order = _SORT.get(request.sort, "item.title COLLATE NOCASE")
        down = " DESC" if request.sort_rev and request.sort != pb.SORT_RELEVANCE else ""
        cursor = self._call.db.execute(
            f"SELECT item.* FROM item {self._joined} WHERE {' AND '.join(self._where)} "
            f"ORDER BY {order}{down}, item.id",
            self._values,
        )
        for row in cursor:
            if all(test(row) for test in self._tests):
                yield row

    def _scope(self) -> None:
        request, call = self._request, self._call
        if request.published:
            if request.HasField("owner"):
                self._add("item.owner = ?", request.owner)
            self._select(_published(call, list(request.cat_tags)))
            return
        owner = request.owner if request.HasField("owner") else call.uid
        self._add("item.owner = ?", owner)
        selected = [collection_named(call, name, owner)["id"] for name in request.coll]
        self._require_in_scope(selected, owner)
        if not selected and not _reads_everything(call, owner):
            selected = _shared_collections(call, owner)
            self._select(collections_below(call.db, selected))
        elif selected:
            self._select(collections_below(call.db, selected))
        if request.cat_tags:
            published = set(_published(call, list(request.cat_tags)))
            self._tests.append(lambda row: bool(published & _collections_of(call, row)))

    def _require_in_scope(self, selected: list[str], owner: str) -> None:
        wanted = Permission.READ_RECORD | Permission.LIST
        for collection in selected:
            row = collection_named(self._call, collection)
            if row["owner"] != owner:
                raise Refused(f"Collection '{collection}' not in search scope.")
            if permissions(self._call, row) & wanted != wanted:
                raise denied(f"Permission denied for collection '{collection}'")

    def _select(self, collections: list[str]) -> None:
        marks = ",".join("?" * len(collections))
        if self._is_data:
            self._joined = "JOIN link ON link.child = item.id"
            self._add(f"link.parent IN ({marks})", *collections)
        else:
            self._add(f"item.id IN ({marks})", *collections)

    def _common(self) -> None:
        request = self._request
        for tag in request.tags:
            self._add("item.id IN (SELECT item FROM tag WHERE name = ?)", tag.lower())
        if request.HasField("id"):
            self._identity(request.id.lower())
        if request.HasField("creator"):
            self._add("item.creator = ?", request.creator)
        if request.HasField("from"):
            self._add("item.ut >= ?", getattr(request, "from"))
        if request.HasField("to"):
            self._add("item.ut <= ?", request.to)
        if request.HasField("text"):
            matcher = text_matcher(request.text)
            self._tests.append(lambda row: matcher(row["title"], row["description"]))

    def _identity(self, text: str) -> None:
        digits = _ID_PART.fullmatch(text)
        if digits and "/" in text:
            self._add("item.id LIKE ?", f"d/{digits[1]}%")
        elif digits:
            self._add(
                "(instr(item.id, ?) OR instr(ifnull(item.alias, ''), ?))", digits[1], digits[1]
            )
        elif _ALIAS_PART.fullmatch(text):
            self._add("instr(ifnull(item.alias, ''), ?)", text)
        else:
            raise Refused("Invalid ID/Alias query value.")

    def _data_only(self) -> None:
        request = self._request
        if request.HasField("sch_id"):
            row = schema_row(self._call, request.sch_id)
            self._add("item.schema = ?", f"{row['id']}:{row['version']}")
        if request.HasField("meta_err"):
            self._add("item.metadata_error IS NOT NULL")
        if request.HasField("meta"):
            self._tests.append(_metadata_test(request.meta))

    def _visible(self) -> None:
        """Leave out what a search index that lags behind would not show yet."""
        lag = self._call.service.faults.search_lag
        if lag > 0:
            column = "changed" if self._request.HasField("from") else "created"
            self._add(f"item.{column} <= ?", time.time() - lag)


def _metadata_test(text: str) -> Test:
    try:
        expression: Expression = compile_query(text)
    except QuerySyntaxError as error:
        raise Refused(str(error)) from error

    def test(row: Row) -> bool:
        try:
            return truth(expression(record_document(row)))
        except (EvaluationError, RecursionError) as error:
            raise Refused(f"{error} (at {row['id']})") from error

    return test


def record_document(row: Row) -> dict[str, Any]:
    """Give a record as a metadata expression sees it."""
    return {
        "_id": row["id"],
        "title": row["title"],
        "desc": row["description"] or None,
        "alias": row["alias"],
        "owner": row["owner"],
        "creator": row["creator"],
        "ct": row["ct"],
        "ut": row["ut"],
        "size": row["size"],
        "source": row["source"],
        "ext": row["ext"],
        "external": True if row["external"] else None,
        "md": json.loads(row["metadata"]) if row["metadata"] else None,
    }


def _reads_everything(call: Call, owner: str) -> bool:
    if owner == call.uid:
        return True
    table = "project" if owner.startswith("p/") else "account"
    if not call.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (owner,)).fetchone():
        noun = "Project" if owner.startswith("p/") else "user"
        raise missing(f"{noun} {owner} not found")
    if call.admin:
        return True
    return owner.startswith("p/") and project_role(call, owner) >= ROLE_MANAGER


def _shared_collections(call: Call, owner: str) -> list[str]:
    wanted = Permission.READ_RECORD | Permission.LIST
    rows = call.db.execute("SELECT * FROM item WHERE kind = 'c' AND owner = ?", (owner,)).fetchall()
    return [row["id"] for row in rows if permissions(call, row) & wanted == wanted]


def _published(call: Call, categories: list[str]) -> list[str]:
    wanted = {category.lower() for category in categories}
    rows = call.db.execute("SELECT id, topic FROM item WHERE topic IS NOT NULL")
    return collections_below(
        call.db, [row["id"] for row in rows if wanted <= set(row["topic"].split("."))]
    )


def _collections_of(call: Call, row: Row) -> set[str]:
    if row["kind"] == "c":
        return {row["id"]}
    rows = call.db.execute("SELECT parent FROM link WHERE child = ?", (row["id"],))
    return {parent for (parent,) in rows}


_CATEGORIES = {
    "t:": "title",
    "title:": "title",
    "d:": "description",
    "desc:": "description",
    "descr:": "description",
    "description:": "description",
}
_PART = re.compile(r"""([+-]?)(?:"([^"]*)"|'([^']*)'|(\S+))""")
_WORD = re.compile(r"\w+")

Matcher = Callable[[str, str], bool]
"""Tells of title and description whether they match."""


@dataclass(slots=True)
class _Terms:
    operator: str = ""
    any_of: list[str] = field(default_factory=list)
    all_of: list[str] = field(default_factory=list)
    none_of: list[str] = field(default_factory=list)

    def add(self, operator: str, words: str) -> None:
        {"+": self.all_of, "-": self.none_of}.get(operator, self.any_of).append(words)

    def match(self, text: str) -> bool:
        padded = f" {normal(text)} "
        found = [f" {term} " in padded for term in self.any_of]
        return (
            (any(found) or not found)
            and all(f" {term} " in padded for term in self.all_of)
            and not any(f" {term} " in padded for term in self.none_of)
        )


def normal(text: str) -> str:
    """Give the words of a text in lower case with single spaces between them."""
    return " ".join(_WORD.findall(text.casefold()))


def text_matcher(phrase: str) -> Matcher:
    """Compile a full-text criterion.

    Raises:
        Refused: a category is given twice, or there is no word to look for.
    """
    general: list[tuple[str, str]] = []
    categories: dict[str, _Terms] = {}
    current: _Terms | None = None
    for operator, double, single, word in _PART.findall(phrase):
        category = _CATEGORIES.get(word.lower())
        if category:
            if category in categories:
                raise Refused(f"Invalid query - category '{word}' specified more than once.")
            current = categories[category] = _Terms(operator)
            continue
        words = normal(double or single or word)
        if not words:
            continue
        if current is None:
            general.append((operator, words))
        else:
            current.add(operator, words)
    chosen = categories or {"title": _Terms("or"), "description": _Terms("or")}
    for terms in chosen.values():
        for operator, words in general:
            terms.add(operator, words)
    if not any(terms.any_of or terms.all_of or terms.none_of for terms in chosen.values()):
        raise Refused("Invalid query - no terms given.")
    return lambda title, description: _match(chosen, {"title": title, "description": description})


def _match(categories: dict[str, _Terms], texts: dict[str, str]) -> bool:
    optional = []
    for name, terms in categories.items():
        found = terms.match(texts[name])
        if terms.operator == "or":
            optional.append(found)
        elif found == (terms.operator == "-"):
            return False
    return any(optional) or not optional
