"""A local cluster: the environment of its workers, and warnings when they exit."""

from __future__ import annotations

import logging
import os

import dask
import distributed
import pytest

from motif.core.config.settings import Config
from motif.core.jobs.compute import WORKER_ENVIRONMENT, client_for


def test_workers_reuse_memory_and_exit_without_warnings(caplog: pytest.LogCaptureFixture) -> None:
    before = dask.config.get("distributed.nanny.pre-spawn-environ")
    logger = logging.getLogger(distributed.nanny.__name__)
    with client_for(Config(), workers=1) as client:
        names = (*WORKER_ENVIRONMENT, "OMP_NUM_THREADS")
        environment = {name: client.submit(os.getenv, name).result() for name in names}
        logger.warning("Worker process still alive after 4.0 seconds, killing")
        logger.warning("Restarting worker")
    assert environment == {**WORKER_ENVIRONMENT, "OMP_NUM_THREADS": "1"}
    assert dask.config.get("distributed.nanny.pre-spawn-environ") == before
    logger.warning("Worker process still alive after 4.0 seconds, killing")
    warned = [r for r in caplog.records if r.name == logger.name and r.levelno >= logging.WARNING]
    assert [record.getMessage() for record in warned] == [
        "Restarting worker",
        "Worker process still alive after 4.0 seconds, killing",
    ]
