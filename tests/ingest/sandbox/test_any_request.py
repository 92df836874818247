"""Whatever a request holds, the answer is a reply or a refusal, never a fault of the server."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from motif.ingest.sandbox.request_server.protocol import (
    BY_NUMBER,
    HEADER,
    MalformedError,
    Request,
    parse,
)
from motif.ingest.sandbox.request_server.request_dispatch import TABLE
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

ROUNDS = 25
CHANGES_WHO_ONE_IS = {"RevokeCredentialsRequest"}
TEXTS = [
    "",
    " ",
    "x",
    "root",
    "u/ada",
    "ada",
    "u/",
    "p/pfm",
    "p/",
    "d/1003",
    "d/1004",
    "c/u_ada_root",
    "c/1001",
    "d/999",
    "c/",
    "d/",
    "q/1",
    "n/1",
    "n/1007",
    "task/1",
    "task/999999999999999999999999999999",
    "repo/sandbox",
    "sandbox",
    "a:b",
    "u:ada:root",
    ":::",
    "scan:0",
    "scan:x",
    ":",
    "g/lab",
    "g/",
    "\x00",
    "é\u202e",
    "%_'\"\\",
    "local#lab/x",
    "local#lab/../x",
    "local#lab/\x00",
    "#/",
    "{}",
    "[]",
    "[{}]",
    "{",
    "null",
    '{"a": {"b": null}}',
    '[{"id": "d/1003", "md": {"x": 1}}]',
    '[{"title": "t", "parent": "root"}]',
    '[{"id": "u/bob", "grant": 99999999999999999999}]',
    "a == 1",
    "a ==",
    "title =~ '('",
    "1" * 400,
    '{"type": "object", "properties": {}}',
    '{"type": "object", "properties": {"a": {"$ref": "#/x"}}}',
    '{"type": "object", "properties": {"a": {"$ref": "scan:0#/nowhere"}}}',
    "x" * 5000,
]
NUMBERS = [0, 1, 2, 3, 20, 1000, 2**31 - 1, 2**32 - 1]


def fill(message: Any, dice: random.Random, depth: int = 0) -> Any:
    """Set random fields to values that mean something to the server, or nothing at all."""
    for field in message.DESCRIPTOR.fields:
        if dice.random() < 0.35:
            continue
        if field.message_type is not None:
            if depth < 2:
                inner = getattr(message, field.name)
                fill(inner.add() if field.is_repeated else inner, dice, depth + 1)
            continue
        values = [value(field, dice) for _ in range(dice.randrange(1, 3))]
        if field.is_repeated:
            getattr(message, field.name).extend(values)
        else:
            setattr(message, field.name, values[0])
    return message


def value(field: Any, dice: random.Random) -> Any:
    if field.type == field.TYPE_STRING:
        return dice.choice(TEXTS)
    if field.type == field.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type == field.TYPE_ENUM:
        return dice.choice([0, 1, 2, 3, 77])
    if field.type == field.TYPE_UINT64:
        return dice.choice([*NUMBERS, 2**63, 2**64 - 1])
    return dice.choice(NUMBERS)


@pytest.fixture(scope="module")
def furnished(sandbox: Sandbox, ada: Any, wire: SimpleNamespace) -> Any:
    """A user with one thing of each kind, so that random names sometimes hit."""
    coll = ada.collectionCreate("c")[0].coll[0].id
    first = wire.record(ada, "one", parent_id=coll, metadata='{"a": 1}')
    wire.record(ada, "two", deps=[("der", first)])
    wire.send(ada, pb.ProjectCreateRequest(id="pfm", title="PFM"))
    wire.send(ada, pb.GroupCreateRequest(group=pb.GroupData(uid="u/ada", gid="lab")))
    ada.schemaCreate("scan", '{"type": "object", "properties": {}}')
    return ada


@pytest.mark.parametrize("user", ["ada", "root"])
@pytest.mark.parametrize("name", sorted(set(TABLE) - CHANGES_WHO_ONE_IS))
def test_any_request_is_answered(
    sandbox: Sandbox, furnished: Any, root: Any, wire: SimpleNamespace, name: str, user: str
) -> None:
    api = furnished if user == "ada" else root
    dice = random.Random(f"{name} {user}")
    kind = next(kind for kind in BY_NUMBER.values() if kind.name == name)
    for _ in range(ROUNDS):
        request = fill(getattr(pb.Envelope(), kind.field).__class__(), dice)
        reply, _ = api._mapi.sendRecv(request, nack_except=False)
        if reply.DESCRIPTOR.name == "NackReply":
            assert reply.err_code != pb.INTERNAL_ERROR, request
            assert reply.err_msg, request


@given(st.lists(st.binary(max_size=12) | st.sampled_from([HEADER, b"", b"\0" * 4]), max_size=12))
def test_any_parts_are_a_request_or_malformed(parts: list[bytes]) -> None:
    try:
        request = parse(parts)
    except MalformedError:
        return
    assert isinstance(request, Request)
