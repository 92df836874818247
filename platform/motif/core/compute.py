"""Dask: a local cluster of processes, or the scheduler that ``motif.toml`` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from motif.core.config import Config

if TYPE_CHECKING:
    from distributed import Client

GPU = {"GPU": 1}
"""Resource a task asks for when it needs a GPU."""


@contextmanager
def client_for(config: Config, workers: int | None = None) -> Iterator[Client]:
    """A Dask client; a local cluster started here ends here."""
    from distributed import Client, LocalCluster

    compute = config.compute
    if compute.scheduler != "local":
        with Client(compute.scheduler, timeout="20s") as client:  # type: ignore[no-untyped-call]
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers or compute.workers,
            threads_per_worker=compute.threads_per_worker,
            processes=True,
            dashboard_address=None,
            memory_limit=0,
            resources=_resources(),
        ) as cluster,  # type: ignore[no-untyped-call]
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


def task_resources(client: Client) -> dict[str, Any]:
    """Resources a training task should ask of this cluster: a GPU where workers offer one."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return dict(GPU) if any(worker["resources"].get("GPU") for worker in workers) else {}


def _resources() -> dict[str, int]:
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    return dict(GPU) if torch.cuda.is_available() else {}
