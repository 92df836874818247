"""Commits, snapshots and text arrays of the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from motif.core.config.settings import StoreConfig
from motif.core.errors import ConfigError, NotFoundError
from motif.core.store.repository import ConflictError, Store, storage_for

LINE = {"what": "test", "at": ""}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(StoreConfig(), tmp_path / "store")


def test_rows_are_appended_and_read_in_snapshots(store: Store) -> None:
    transaction = store.transaction()
    transaction.append("a/b", np.ones((2, 3), np.float32), 0)
    transaction.commit(LINE)
    before = store.snapshot()
    transaction = store.transaction()
    transaction.append("a/b", np.full((1, 3), 7, np.float32), 2)
    transaction.commit({**LINE, "number": 2})
    assert before.array("a/b").shape == (2, 3)
    np.testing.assert_array_equal(store.snapshot().load("a/b")[:, 0], [1, 1, 7])
    assert [line for _, line in store.snapshot().journal(1)] == [{**LINE, "number": 2}]
    assert (before.journal_length, store.snapshot().journal_length) == (1, 2)
    assert store.snapshot(before.id).journal_length == 1


def test_an_uncommitted_transaction_leaves_nothing(store: Store) -> None:
    store.transaction().append("a", np.ones((2, 3)), 0)
    assert store.snapshot().journal_length == 0
    with pytest.raises(NotFoundError, match='no array "a"; run motif check'):
        store.snapshot().array("a")


def test_of_two_writers_one_commits(store: Store) -> None:
    first, second = store.transaction(), store.transaction()
    first.append("a", np.ones((1, 2)), 0)
    second.append("a", np.zeros((1, 2)), 0)
    first.commit(LINE)
    with pytest.raises(ConflictError):
        second.commit(LINE)
    np.testing.assert_array_equal(store.snapshot().load("a"), np.ones((1, 2)))


@pytest.mark.parametrize(
    "values",
    [np.array(["α-Fe₂O₃", "", "b"]), np.array([b"ab", b"abc"]), np.array([["x"], ["yz"]])],
)
def test_text_is_read_back_as_bytes(store: Store, values: np.ndarray) -> None:
    transaction = store.transaction()
    transaction.put("derived/s/id/text", values)
    transaction.commit(LINE)
    expected = np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values
    np.testing.assert_array_equal(store.snapshot().load("derived/s/id/text"), expected)
    assert store.snapshot().names("derived/s/id") == ["text"]
    assert store.snapshot().names("derived/s/other") == []


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 2, 2)])
def test_arrays_of_any_shape_are_stored(store: Store, shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape, dtype=int), dtype=np.int64).reshape(shape)
    transaction = store.transaction()
    transaction.put("x", values)
    transaction.commit(LINE)
    np.testing.assert_array_equal(store.snapshot().load("x"), values)


def test_a_missing_store_and_an_unknown_address_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="create one with motif init"):
        Store.open(StoreConfig(), tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="does not begin with s3://, gs:// or az://"):
        storage_for(StoreConfig(url="ftp://lab/motif"), tmp_path)


def test_addresses_of_three_clouds_are_understood(tmp_path: Path) -> None:
    for url in ("s3://lab/motif", "gs://lab/motif", "az://account.container/motif"):
        assert storage_for(StoreConfig(url=url, region="us-east-1"), tmp_path) is not None
