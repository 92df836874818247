"""A workspace: one directory with ``motif.toml``, the store, the catalog and a cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from motif.core import alignment, journal, taint
from motif.core.catalog import Catalog, MeasurementRow, RecordRow, now, sqlite_url
from motif.core.clock import Clock
from motif.core.columns import Columns, open_columns
from motif.core.config import FILE_NAME, Config, load_config, privacy_of
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError
from motif.core.facets import Mapper
from motif.core.layout import restore
from motif.core.ledger import Ledger
from motif.core.records import FacetValue
from motif.core.store import ConflictError, Store, Transaction

if TYPE_CHECKING:
    import xarray as xr

    from motif.core.duplicates import Duplicate

READ_THREADS = 4
COMMIT_ATTEMPTS = 8

NEW_CONFIG = """\
# Settings of this Motif workspace. Sources say where measurements come from.
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


@dataclass(frozen=True)
class Library:
    """A composition library as arrays: n samples, E elements, L spectral points."""

    ids: tuple[str, ...]
    samples: tuple[str, ...]
    elements: tuple[str, ...]
    composition: NDArray[np.float64]
    """Atomic fractions (n, E)."""
    axis: NDArray[np.float64]
    """Spectral axis (L,)."""
    axis_name: str
    axis_unit: str
    spectra: NDArray[np.float64]
    """Intensities (n, L) as measured, or aligned."""
    target_name: str
    target_unit: str
    target: NDArray[np.float64]
    """Figure of merit (n,), NaN where not measured."""
    simulated: bool
    record_ids: tuple[str, ...]
    alignment: str = ""
    """How spectra on differing axes were brought onto one; empty where they are as measured."""


class Workspace:
    """Everything Motif remembers, opened for reading and writing."""

    def __init__(self, root: Path, config: Config, catalog: Catalog, store: Store) -> None:
        self.root = root
        self.config = config
        self.catalog = catalog
        self.store = store
        self._columns: dict[str, Columns] = {}
        self.ledger = Ledger(catalog, store, self.commit, self.marked_measurements)

    @classmethod
    def init(cls, path: Path | str) -> Self:
        """Make a workspace in a new or empty-enough directory and open it."""
        root = Path(path).absolute()
        if (root / FILE_NAME).exists() and (root / "store").exists():
            raise ConfigError(f"{root} is a Motif workspace already; open it with motif status.")
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
        """Open a workspace; by default ``$MOTIF_WORKSPACE`` or the nearest one above here."""
        root = find_root(path)
        config = load_config(root / FILE_NAME)
        store = Store.open(config.store, root / "store")
        catalog = Catalog(config.catalog.url or sqlite_url(root / "catalog.sqlite"))
        workspace = cls(root, config, catalog, store)
        if not catalog.is_made:
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
        """Folder of what can be made again at any time."""
        folder = self.root / "cache"
        folder.mkdir(exist_ok=True)
        return folder

    def mapper(self) -> Mapper:
        """The rules by which this workspace makes facets."""
        privacy = privacy_of(self.config, self.root)
        return Mapper(self.config.facets, privacy, Clock(self.config.time.zone))

    def refresh(self) -> None:
        """Apply journal lines another process committed but did not live to apply."""
        if self.store.snapshot().journal_length > self.catalog.journal_length:
            with self._lock():
                journal.catch_up(self.catalog, self.store.snapshot())

    def reindex(self) -> int:
        """Rebuild the catalog from the store; returns the number of journal lines."""
        with self._lock():
            return journal.rebuild(self.catalog, self.store.snapshot())

    def commit(self, build: Callable[[Transaction], dict[str, Any] | None]) -> None:
        """Bytes first, name second: arrays and journal line in one commit, then the catalog.

        `build` writes arrays into the transaction and returns the journal line, or None for
        nothing to do. It may be called again after a conflict with another machine.
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
        raise ConflictError(f"{self.root}: {COMMIT_ATTEMPTS} commits met another writer's.")

    def next_row(self, array: str) -> int:
        """First free row of an array; call inside `commit`."""
        from sqlalchemy import func, select

        from motif.core.schema import measurements

        statement = select(func.max(measurements.c.row)).where(measurements.c.array == array)
        with self.catalog.reading() as connection:
            last = connection.execute(statement).scalar()
        return 0 if last is None else int(last) + 1

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
        """Refuse a collection that holds nothing, naming those that do."""
        known = self.collections()
        if collection not in known:
            holds = f"it holds {', '.join(known)}" if known else "it is empty: run motif ingest"
            raise NotFoundError(f'This workspace has no collection "{collection}"; {holds}.')

    def measurement(self, measurement_id: str) -> MeasurementRow:
        return self.catalog.measurement(measurement_id)

    def record(self, record_id: str) -> RecordRow:
        return self.catalog.record(record_id)

    def columns(self, collection: str) -> Columns:
        """The facets of a collection as columns, as they are now."""
        found = open_columns(
            self.catalog, self.cache / "columns", collection, self._columns.get(collection)
        )
        if not len(found):
            self.require_collection(collection)
        self._columns[collection] = found
        return found

    def facets(self, ids: Sequence[str]) -> dict[str, dict[str, FacetValue]]:
        """Facets of measurements: id -> {name: value}; numbers in SI base units."""
        return self.catalog.facets(ids)

    def duplicates(self, measurement_id: str) -> list[Duplicate]:
        """Measurements of other records, in whatever format, that hold what this one holds."""
        from motif.core.duplicates import duplicates

        return duplicates(self, [self.measurement(measurement_id).id]).get(measurement_id, [])

    def marked_records(self) -> dict[str, str]:
        """Records marked with an error: id -> why."""
        tags = {name: source.error_tag for name, source in self.config.sources.items()}
        return taint.marked_records(self.catalog, tags)

    def marked_measurements(self) -> frozenset[str]:
        """Everything ever measured in records marked with an error."""
        return taint.measurements_of(self.catalog, self.marked_records())

    def read(self, measurement_id: str) -> xr.DataArray:
        """One measurement with its channels, coordinates and units."""
        row = self.measurement(measurement_id)
        snapshot = self.store.snapshot()
        return restore(row, np.asarray(snapshot.array(row.array)[row.row]), snapshot)

    def frames(
        self, rows: Sequence[MeasurementRow]
    ) -> Iterator[tuple[MeasurementRow, NDArray[np.float32]]]:
        """Images (channel, y, x) as float32, in the order given, read by several threads."""
        snapshot = self.store.snapshot()
        arrays = {path: snapshot.array(path) for path in {row.array for row in rows}}

        def load(row: MeasurementRow) -> NDArray[np.float32]:
            return np.asarray(arrays[row.array][row.row], np.float32)

        with ThreadPoolExecutor(READ_THREADS) as pool:
            for start in range(0, len(rows), 64):
                part = rows[start : start + 64]
                yield from zip(part, pool.map(load, part), strict=True)

    def spectra(self, rows: Sequence[MeasurementRow]) -> NDArray[np.float64]:
        """Spectra (n, L) on one axis, in the order given."""
        places = {row.array for row in rows}
        if len(places) != 1:
            raise UnsuitableDataError(
                f"These {len(rows)} spectra lie on {len(places)} different axes; "
                "choose those of one axis with a filter."
            )
        array = self.store.snapshot().array(places.pop())
        positions = np.array([row.row for row in rows])
        low, high = int(positions.min()), int(positions.max()) + 1
        if high - low <= 4 * len(rows):
            values = np.asarray(array[low:high])[positions - low]
        else:
            values = np.asarray(array.oindex[positions])
        return np.asarray(values, np.float64)

    def spectra_on_one_axis(
        self, rows: Sequence[MeasurementRow]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
        """Spectra (n, L), their axis (L,), and what was done where they lay on several.

        Spectra of one quantity and unit are aligned by the rule of `motif.core.alignment`.
        """
        groups: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            groups.setdefault(row.array, []).append(index)
        kinds = {(row.dims[0], row.layout["coordinates"][row.dims[0]]["units"]) for row in rows}
        if len(kinds) > 1:
            told = ", ".join(sorted(f"{name} ({unit})" for name, unit in kinds))
            raise UnsuitableDataError(
                f"These spectra lie over {told}; choose those of one quantity with a filter."
            )
        axes = [self._axis(rows[members[0]]) for members in groups.values()]
        if len(axes) == 1:
            return self.spectra(rows), axes[0], ""
        unit = kinds.pop()[1]
        positions = alignment.common_axis(axes, unit)
        values = np.empty((len(rows), len(positions)))
        for axis, members in zip(axes, groups.values(), strict=True):
            measured = self.spectra([rows[index] for index in members])
            values[members] = alignment.aligned(measured, axis, positions)
        return values, positions, alignment.in_words(axes, positions, unit)

    def _axis(self, row: MeasurementRow) -> NDArray[np.float64]:
        path = row.layout["coordinates"][row.dims[0]]["array"]
        return np.asarray(self.store.snapshot().load(path), np.float64)

    def library(
        self, collection: str, target: str | None = None, where: str | None = None
    ) -> Library:
        """A collection of spectra with compositions as arrays."""
        rows = [row for row in self.select(collection, where, "spectrum") if row.composition]
        if not rows:
            matched = f" that match {where}" if where else ""
            then = "widen the filter" if where else "ingest a library table"
            raise UnsuitableDataError(
                f'"{collection}" holds no spectra with a composition{matched}; {then}.'
            )
        names = sorted({name for row in rows for name in row.targets})
        target = target or (names[0] if names else "")
        if target not in names:
            raise UnsuitableDataError(
                f'"{collection}" has no figure of merit "{target}"; '
                f"it has {', '.join(names) or 'none'}."
            )
        elements = tuple(dict.fromkeys(name for row in rows for name in row.composition))
        values = [row.targets.get(target, (None, ""))[0] for row in rows]
        axis_name = rows[0].dims[0]
        spectra, axis, aligned = self.spectra_on_one_axis(rows)
        return Library(
            ids=tuple(row.id for row in rows),
            samples=tuple(row.key for row in rows),
            elements=elements,
            composition=np.array([[row.composition.get(e, 0.0) for e in elements] for row in rows]),
            axis=axis,
            axis_name=axis_name,
            axis_unit=rows[0].layout["coordinates"][axis_name]["units"],
            spectra=spectra,
            target_name=target,
            target_unit=next((row.targets[target][1] for row in rows if target in row.targets), ""),
            target=np.array([np.nan if value is None else value for value in values]),
            simulated=any(row.simulated for row in rows),
            record_ids=tuple(sorted({row.record_id for row in rows})),
            alignment=aligned,
        )

    def counts(self) -> Mapping[str, Any]:
        """What the workspace holds, in numbers."""
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
    """Directory of the workspace meant by `path`, the environment or the current directory."""
    asked = path or os.environ.get("MOTIF_WORKSPACE")
    if asked:
        root = Path(asked).absolute()
        if not (root / FILE_NAME).is_file():
            raise NotFoundError(f"{root} is no Motif workspace; make one with motif init {root}.")
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise NotFoundError(
        f"There is no Motif workspace at {here} or above; make one with motif init, "
        "or name one with --workspace."
    )
