from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.errors import ConfigError
from motif.core.facets.clock import ASSUMED, Clock, iso_moment
from motif.core.facets.facet_remap import remap
from motif.core.records import Facet
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

SCAN = np.zeros((3, 4, 4))
NEW_YORK = '[time]\nzone = "America/New_York"\n'


def with_config(workspace: Workspace, text: str) -> Workspace:
    (workspace.root / "motif.toml").write_text(text)
    return Workspace.open(workspace.root)


def acquired(workspace: Workspace) -> tuple[str, str, str]:
    """Value, origin and original text."""
    (row,) = [
        row
        for row in workspace.catalog.facet_rows([each.id for each in workspace.select("pfm")])
        if row.name == "acquired_at"
    ]
    return row.text, row.origin, row.raw_text


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2021-01-07T17:18:38", "2021-01-07T22:18:38Z"),
        ("2021-07-07T17:18:38", "2021-07-07T21:18:38Z"),
        ("2021-11-07T01:30:00", "2021-11-07T05:30:00Z"),
        ("2021-07-07", "2021-07-07T04:00:00Z"),
    ],
)
def test_clocks_of_a_zone_with_summer_time(local: str, utc: str) -> None:
    (converted,) = Clock("America/New_York").applied([Facet("acquired_at", local, "header:Date")])
    assert converted.value == utc
    assert converted.origin == "header:Date, zone not stated: taken as America/New_York"


def test_a_stated_zone_is_used() -> None:
    for stated in ("2021-01-07T17:18:38Z", "2021-01-07T19:18:38+02:00"):
        (converted,) = Clock("America/New_York").applied(
            [Facet("acquired_at", stated, "header:Date")]
        )
        assert (converted.value, converted.origin) == ("2021-01-07T17:18:38Z", "header:Date")


@given(st.datetimes(), st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "Asia/Kolkata"]))
def test_any_time_becomes_utc_or_is_unchanged(moment: datetime, zone: str) -> None:
    stated = moment.isoformat(timespec="seconds")
    assert iso_moment(stated) == stated
    (converted,) = Clock(zone).applied([Facet("acquired_at", stated, "header:Date")])
    assert str(converted.value).endswith("Z") or moment.year in (1, 9999)
    assert Clock(zone).applied([converted]) == [converted]


@pytest.mark.parametrize("stated", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_outside_the_calendar_in_utc_is_unchanged(stated: str) -> None:
    facet = Facet("acquired_at", stated, "declared header:Date")
    assert Clock("Asia/Tokyo").applied([facet]) == [facet]


def test_only_times_are_changed() -> None:
    facets = [Facet("material", "2021-01-07", "header:Sample"), Facet("acquired_at", "soon", "x:y")]
    assert Clock("Asia/Tokyo").applied(facets) == facets


def test_a_changed_zone_is_applied_without_files(workspace: Workspace) -> None:
    stated = Facet("acquired_at", "2021-07-07T17:18:38", "header:Date", raw_text="Jul 7 5:18:38 PM")
    fill(workspace, "pfm", {"a": [image(SCAN, facets=[stated])]})
    assert acquired(workspace)[0] == "2021-07-07T17:18:38Z"
    workspace.close()
    with with_config(workspace, NEW_YORK) as opened:
        remap(opened)
        origin = "header:Date" + ASSUMED + "America/New_York"
        assert acquired(opened) == ("2021-07-07T21:18:38Z", origin, "Jul 7 5:18:38 PM")
        assert len(opened.select("pfm", "acquired_at = 2021-07-07T21:18")) == 1
        opened.reindex()
        assert acquired(opened) == ("2021-07-07T21:18:38Z", origin, "Jul 7 5:18:38 PM")
    with with_config(workspace, "") as opened:
        remap(opened)
        assert acquired(opened)[0] == "2021-07-07T17:18:38Z"


def test_times_of_records_and_files_agree_once_both_are_utc(workspace: Workspace) -> None:
    workspace.close()
    with with_config(workspace, NEW_YORK) as opened:
        stated = Facet("acquired_at", "2021-07-07T17:18:38", "header:Date")
        metadata = {"acquired_at": "2021-07-07T23:18:38+02:00"}
        fill(opened, "pfm", {"a": [image(SCAN, facets=[stated])]}, {"a": metadata})
        assert opened.select("pfm", "has disagreement") == []


def test_an_unknown_zone_is_refused(workspace: Workspace) -> None:
    workspace.close()
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        with pytest.raises(ConfigError, match="not a time zone such as"):
            with_config(workspace, f'[time]\nzone = "{zone}"\n')
