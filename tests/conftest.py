"""What holds for the whole run."""

import os
from collections.abc import Iterator
from unittest import mock

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: playwright keeps an event loop running that others trip over."""
    items.sort(key=lambda item: "browser" in item.path.parts)


@pytest.fixture(autouse=True)
def the_environment_stays() -> Iterator[None]:
    """What a command of this process puts into the environment ends with its test."""
    with mock.patch.dict(os.environ):
        yield
