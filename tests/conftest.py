"""Order of the whole run."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: playwright keeps an event loop running that others trip over."""
    items.sort(key=lambda item: "browser" in item.path.parts)
