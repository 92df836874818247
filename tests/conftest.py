"""What applies to the whole run: order, tiers, an environment that every test leaves as it was."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

TESTS = Path(__file__).parent
SLOW = (
    "benchmarks",
    "browser",
    "facility",
    "analysis/composition/test_composition_commands.py",
    "analysis/composition/test_composition_docs.py",
    "analysis/composition/test_composition_study.py",
    "analysis/projection/test_maps.py",
    "analysis/search/test_search_concurrent.py",
    "analysis/symmetry",
    "conventions/test_tools.py",
    "core/test_commands.py",
    "core/test_facets.py",
    "dashboard/test_demo.py",
    "dashboard/test_maps_of_parts.py",
    "dashboard/test_pages.py",
    "docs",
    "ingest/datafed/test_ingest_killed.py",
    "ingest/datafed/test_server_killed.py",
    "ingest/datafed/test_soak.py",
    "ingest/datafed/test_wire_faults.py",
    "ingest/publish",
    "ingest/readers/test_fuzz_readers.py",
    "ingest/sandbox/test_faults.py",
    "ingest/sandbox/test_serving.py",
    "ingest/test_sync.py",
)
"""Tests with browsers, servers that are killed, training or installations: not in the fast tier."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tier; browser tests last, as playwright keeps an event loop running."""
    items.sort(key=lambda item: "browser" in item.path.parts)
    slow = [TESTS / name for name in SLOW]
    for item in items:
        if any(item.path == path or path in item.path.parents for path in slow):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def the_environment_stays() -> Iterator[None]:
    """What a command of this process puts into the environment ends with its test."""
    with mock.patch.dict(os.environ):
        yield
