"""Benchmarks tell their figures as lines of the terminal summary."""

import os
from collections.abc import Callable

import pytest

LINES: list[str] = []


@pytest.fixture
def report() -> Callable[..., None]:
    """``report("what was measured", figure=1.0, ...)``."""

    def add(what: str, **figures: object) -> None:
        LINES.append(f"{what}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LINES:
        terminalreporter.section(f"figures ({os.cpu_count()} cores)")
        for line in LINES:
            terminalreporter.write_line(line)
