from collections.abc import Iterator
from pathlib import Path

import pytest

from motif.core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        yield opened
