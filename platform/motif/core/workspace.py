"""A workspace: one directory with ``motif.toml``, the store, the catalog and a cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from motif.core.catalog import journal
from motif.core.catalog.catalog_queries import measurement_ids_of
from motif.core.catalog.database import Catalog, MeasurementRow, RecordRow, now, sqlite_url
from motif.core.columns.facet_columns import FacetColumns, open_columns
from motif.core.config.settings import FILE_NAME, Config, load_config, privacy_of
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError
from motif.core.facets.clock import Clock
from motif.core.facets.facet_rules import Mapper
from motif.core.provenance import taint
from motif.core.provenance.ledger import Ledger
from motif.core.records import FacetValue
from motif.core.store.array_layout import restore
from motif.core.store.repository import ConflictError, Store, Transaction

if TYPE_CHECKING:
    import xarray as xr

READ_THREADS = 4
COMMIT_ATTEMPTS = 8

NEW_CONFIG = """\
# Settings of this Motif workspace. Sources are where measurements come from.
#
# [sources.spm]
# kind = "folder"
# path = "/data/spm"
# into = "spm"
#
# [jobs.nightly]
# run = ["ingest spm", "embed spm", "project spm"]
# schedule = "0 2 * * *"
"""


class Workspace:
    """Everything Motif remembers, opened for reading and writing."""

    def __init__(self, root: Path, config: Config, catalog: Catalog, store: Store) -> None:
        self.root = root
        self.config = config
        self.catalog = catalog
        self.store = store
        self._columns: dict[str, FacetColumns] = {}
        self.ledger = Ledger(catalog, store, self.commit, self.marked_measurements)

    @classmethod
    def init(cls, path: Path | str) -> Self:
        """Create a workspace in a new directory, or one without a workspace, and open it."""
        root = Path(path).absolute()
        if (root / FILE_NAME).exists() and (root / "store").exists():
            raise ConfigError(f"{root} is already a Motif workspace; show it with motif status.")
        try:
            (root / "cache").mkdir(parents=True, exist_ok=True)
            if not (root / FILE_NAME).exists():
                (root / FILE_NAME).write_text(NEW_CONFIG, encoding="utf-8")
            config = load_config(root / FILE_NAME)
            Store.create(config.store, root / "store")
        except OSError as error:
            raise ConfigError(
                f"{root} cannot become a workspace: {error.strerror}; choose another directory."
            ) from error
        return cls.open(root)

    @classmethod
    def open(cls, path: Path | str | None = None) -> Self:
        """Open a workspace; by default ``$MOTIF_WORKSPACE`` or the nearest parent directory."""
        root = find_root(path)
        config = load_config(root / FILE_NAME)
        store = Store.open(config.store, root / "store")
        catalog = Catalog(config.catalog.url or sqlite_url(root / "catalog.sqlite"))
        workspace = cls(root, config, catalog, store)
        if not catalog.is_created:
            with workspace._lock():
                catalog.create()
        workspace.refresh()
        return workspace

    def close(self) -> None:
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cache(self) -> Path:
        """Folder of files that can be recreated at any time."""
        folder = self.root / "cache"
        folder.mkdir(exist_ok=True)
        return folder

    def mapper(self) -> Mapper:
        """The rules by which this workspace derives facets."""
        privacy = privacy_of(self.config, self.root)
        return Mapper(self.config.facets, privacy, Clock(self.config.time.zone))

    def refresh(self) -> None:
        """Apply journal lines that another process committed but did not apply before it ended."""
        if self.store.snapshot().journal_length > self.catalog.journal_length:
            with self._lock():
                journal.catch_up(self.catalog, self.store.snapshot())

    def reindex(self) -> int:
        """Rebuild the catalog from the store; returns the number of journal lines."""
        with self._lock():
            return journal.rebuild(self.catalog, self.store.snapshot())

    def commit(self, build: Callable[[Transaction], dict[str, Any] | None]) -> None:
        """Commit arrays and a journal line to the store, then apply the line to the catalog.

        `build` writes arrays into the transaction and returns the journal line, or None when
        there is nothing to do. It is called again after a conflict with another machine.
        """
        for _ in range(COMMIT_ATTEMPTS):
            with self._lock():
                journal.catch_up(self.catalog, self.store.snapshot())
                transaction = self.store.transaction()
                number = transaction.journal_length
                line = build(transaction)
                if line is None:
                    return
                line = {"at": now(), **line}
                try:
                    transaction.commit(line)
                except ConflictError:
                    continue
                journal.apply(self.catalog, number, line)
                return
        raise ConflictError(
            f"{self.root}: {COMMIT_ATTEMPTS} commits in a row conflicted with those of other "
            "writers; "
            "try again."
        )

    def collections(self) -> list[str]:
        return list(self.catalog.collections())

    def select(
        self,
        collection: str | None = None,
        where: str | None = None,
        kind: str | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[MeasurementRow]:
        """Live measurements that match the query `where`, ordered by id."""
        if collection is not None:
            self.require_collection(collection)
        return self.catalog.select(collection, where, kind, ids)

    def require_collection(self, collection: str) -> None:
        """Raise `NotFoundError` for a collection without measurements, naming the others."""
        known = self.collections()
        if collection not in known:
            contents = f"it has {', '.join(known)}" if known else "it is empty: run motif ingest"
            raise NotFoundError(f'This workspace has no collection "{collection}"; {contents}.')

    def measurement(self, measurement_id: str) -> MeasurementRow:
        return self.catalog.measurement(measurement_id)

    def record(self, record_id: str) -> RecordRow:
        return self.catalog.record(record_id)

    def columns(self, collection: str) -> FacetColumns:
        """The facets of a collection as columns, as they are now."""
        columns = open_columns(
            self.catalog, self.cache / "columns", collection, self._columns.get(collection)
        )
        if not len(columns):
            self.require_collection(collection)
        self._columns[collection] = columns
        return columns

    def facets(self, ids: Sequence[str]) -> dict[str, dict[str, FacetValue]]:
        """Facets of measurements: id -> {name: value}; numbers in SI base units."""
        return self.catalog.facets(ids)

    def marked_records(self) -> dict[str, str]:
        """Records marked with an error: id -> reason."""
        tags = {name: source.error_tag for name, source in self.config.sources.items()}
        return taint.marked_records(self.catalog, tags)

    def marked_measurements(self) -> frozenset[str]:
        """Everything ever measured in records marked with an error."""
        return measurement_ids_of(self.catalog, self.marked_records())

    def read(self, measurement_id: str) -> xr.DataArray:
        """One measurement with its channels, coordinates and units."""
        row = self.measurement(measurement_id)
        snapshot = self.store.snapshot()
        return restore(row, np.asarray(snapshot.array(row.array)[row.row]), snapshot)

    def frames(
        self, rows: Sequence[MeasurementRow]
    ) -> Iterator[tuple[MeasurementRow, NDArray[np.float32]]]:
        """Rows with their images (channel, y, x) as float32, in the order given."""
        snapshot = self.store.snapshot()
        arrays = {path: snapshot.array(path) for path in {row.array for row in rows}}

        def load(row: MeasurementRow) -> NDArray[np.float32]:
            return np.asarray(arrays[row.array][row.row], np.float32)

        with ThreadPoolExecutor(READ_THREADS) as pool:
            for start in range(0, len(rows), 64):
                batch = rows[start : start + 64]
                yield from zip(batch, pool.map(load, batch), strict=True)

    def spectra(self, rows: Sequence[MeasurementRow]) -> NDArray[np.float64]:
        """Spectra (n, L) on one axis, in the order given."""
        arrays = {row.array for row in rows}
        if len(arrays) != 1:
            raise UnsuitableDataError(
                f"These {len(rows)} spectra have {len(arrays)} different axes; "
                "choose spectra of one axis with a filter."
            )
        array = self.store.snapshot().array(arrays.pop())
        positions = np.array([row.row for row in rows])
        low, high = int(positions.min()), int(positions.max()) + 1
        if high - low <= 4 * len(rows):
            values = np.asarray(array[low:high])[positions - low]
        else:
            values = np.asarray(array.oindex[positions])
        return np.asarray(values, np.float64)

    def counts(self) -> Mapping[str, Any]:
        """Numbers of records, measurements, quarantined files and results."""
        collections = self.catalog.collections()
        kinds: dict[str, int] = {}
        for by_kind in collections.values():
            for kind, count in by_kind.items():
                kinds[kind] = kinds.get(kind, 0) + count
        counts = self.catalog.counts()
        return {
            "records": counts["records"],
            "measurements": kinds,
            "collections": collections,
            "quarantined": counts["quarantined"],
            "disagreeing": counts["disagreeing"],
            "derived": self.ledger.count(),
        }

    def _lock(self) -> FileLock:
        return FileLock(self.root / ".lock")


def find_root(path: Path | str | None) -> Path:
    """Directory of the workspace at `path`, of the environment, or around the current directory."""
    given = path or os.environ.get("MOTIF_WORKSPACE")
    if given:
        root = Path(given).absolute()
        if not (root / FILE_NAME).is_file():
            raise NotFoundError(
                f"{root} is not a Motif workspace; create one with motif init {root}."
            )
        return root
    current = Path.cwd()
    for folder in (current, *current.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise NotFoundError(
        f"There is no Motif workspace at {current} or above it; create one with motif init, "
        "or choose one with --workspace."
    )
