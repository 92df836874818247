"""Remembers what could not be fetched, over runs, so that one file cannot hold up a source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, Integer, MetaData, Table, Text, delete, insert, select
from sqlalchemy.schema import CreateTable

from motif.core.catalog import Catalog, Quarantined
from motif.core.records import Asset
from motif.core.schema import batched

LIMIT = 3
"""Runs in which a file may fail before it goes to quarantine."""
UNFETCHED = "fetch"
"""Kept in a quarantine entry in place of the readers asked: none could be."""
FIRST_WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(days=7)
"""Between attempts at a file in quarantine; each wait is twice the one before."""

_TABLE = Table(
    "fetch_failures",
    MetaData(),
    Column("source", Text, primary_key=True),
    Column("native_id", Text, primary_key=True),
    Column("raw_fingerprint", Text, nullable=False),
    Column("runs", Integer, nullable=False),
)


class Failures:
    """Failed fetches of one source; a file whose raw data change starts anew."""

    def __init__(self, catalog: Catalog, source: str) -> None:
        self._engine = catalog.engine
        self._source = source
        with self._engine.begin() as connection:
            connection.execute(CreateTable(_TABLE, if_not_exists=True))

    def add(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Count a failed run of each; those that have failed `LIMIT` runs, with their number."""
        often: dict[str, int] = {}
        with self._engine.begin() as connection:
            for asset in assets:
                place = (
                    _TABLE.c.source == self._source,
                    _TABLE.c.native_id == asset.native_id,
                )
                same = (*place, _TABLE.c.raw_fingerprint == asset.raw_fingerprint)
                before = connection.execute(select(_TABLE.c.runs).where(*same)).scalar() or 0
                connection.execute(delete(_TABLE).where(*place))
                connection.execute(
                    insert(_TABLE).values(
                        source=self._source,
                        native_id=asset.native_id,
                        raw_fingerprint=asset.raw_fingerprint,
                        runs=before + 1,
                    )
                )
                if before + 1 >= LIMIT:
                    often[asset.native_id] = before + 1
        return often

    def forget(self, native_ids: Sequence[str]) -> None:
        """Clear the count of what has arrived or is gone."""
        with self._engine.connect() as connection:
            own = select(_TABLE.c.native_id).where(_TABLE.c.source == self._source)
            counted = set(connection.scalars(own)) & set(native_ids)
        if counted:
            with self._engine.begin() as connection:
                for part in batched(sorted(counted)):
                    connection.execute(
                        delete(_TABLE).where(
                            _TABLE.c.source == self._source, _TABLE.c.native_id.in_(part)
                        )
                    )


def is_due(held: Quarantined) -> bool:
    """Whether it is time to try to fetch a quarantined file again."""
    wait: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(held.attempts - 1, 10))
    return datetime.now(UTC) - datetime.fromisoformat(held.last_seen) >= wait
