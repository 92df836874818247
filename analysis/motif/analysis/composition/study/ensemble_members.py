"""Members of an ensemble as ledger rows, trained in groups here or over the workers of a
cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.arrays import IntArray, NamedArrays
from motif.analysis.composition.datasets.composition_library import PreparedLibrary, Samples
from motif.analysis.composition.datasets.cross_validation import SamplePartition
from motif.analysis.composition.regression.member_training import (
    Report,
    steps_per_epoch,
    train,
)
from motif.analysis.composition.regression.training_recipe import EnsembleMember, TrainingRecipe
from motif.core.jobs.compute import task_resources

if TYPE_CHECKING:
    from distributed import Client

    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

MEMBER_STAGE = "ensemble-member"
MEMBER_VERSION = 2
"""Raised whenever the same parameters would train another member."""
GROUP = 4
"""Members trained together on a CPU: most of the gain of a batch, little lost by a crash."""
TOPIC = "motif-composition"
REPORT_STEP = 0.05
"""Least progress of a group, as a fraction, that a worker reports."""


@dataclass(frozen=True)
class TrainingPlan:
    """The members of one study."""

    workspace: Workspace
    collection: str
    prepared: PreparedLibrary
    recipe: TrainingRecipe
    members: tuple[EnsembleMember, ...]
    partition: SamplePartition

    def parameters(self, member: EnsembleMember) -> dict[str, Any]:
        """Everything that decides a member, for the ledger."""
        held_out = member.fold is not None
        parameters = {
            "version": MEMBER_VERSION,
            "recipe": self.recipe.parameters(),
            "seed": member.seed,
            "fold": member.fold,
            "folds": self.partition.folds if held_out else None,
            "partition": self.partition.identity if held_out else None,
            "target": self.prepared.target_name,
            "data": self.prepared.digest,
        }
        order = self.partition.order_of(member)
        return parameters if order is None else {**parameters, "order": order}

    def find(self, member: EnsembleMember) -> Derivation | None:
        """The ledger row of a member that is stored already."""
        ledger = self.workspace.ledger
        return ledger.find(MEMBER_STAGE, self.parameters(member), self.prepared.ids)

    def rows(self, member: EnsembleMember) -> IntArray:
        """Samples a member is trained on."""
        return self.partition.rows(member)

    def store(self, member: EnsembleMember, arrays: NamedArrays, seconds: float) -> Derivation:
        """Write a trained member into the ledger."""
        target = self.prepared.samples.target
        held_out = np.setdiff1d(np.arange(len(target)), self.rows(member))
        summary: dict[str, Any] = {"trained_on": len(target) - len(held_out)}
        if len(held_out):
            error = arrays["predictions"][held_out] - target[held_out]
            summary["held_out"] = len(held_out)
            summary["held_out_mae"] = float(np.abs(error).mean())
        return self.workspace.ledger.record(
            MEMBER_STAGE,
            self.collection,
            self.parameters(member),
            self.prepared.ids,
            arrays,
            summary,
            seconds,
        )


def train_missing(
    plan: TrainingPlan, client: Client | None, advance: Callable[[float], None]
) -> list[Derivation]:
    """Ledger rows of all members of the plan, in its order, training those that are missing.

    A group is stored as soon as it is trained, so after a crash it is not trained again.
    `advance` is called with the members' worth of work done since the last call.
    """
    missing = [member for member in plan.members if plan.find(member) is None]
    advance(len(plan.members) - len(missing))
    if missing:
        groups = grouped(plan, missing, _group_size(len(missing), client))
        trained_groups = (
            _train_here(plan, groups, advance)
            if client is None
            else _train_on_cluster(plan, groups, client, advance)
        )
        for members, trained, seconds in trained_groups:
            for member, arrays in zip(members, trained, strict=True):
                plan.store(member, arrays, seconds / len(members))
    return [row for member in plan.members if (row := plan.find(member)) is not None]


def grouped(
    plan: TrainingPlan, members: Sequence[EnsembleMember], size: int
) -> list[tuple[EnsembleMember, ...]]:
    """Groups of at most `size` members with equally many steps per epoch."""
    by_steps: dict[int, list[EnsembleMember]] = {}
    for member in members:
        steps = steps_per_epoch(len(plan.rows(member)), plan.recipe.batch)
        by_steps.setdefault(steps, []).append(member)
    groups: list[tuple[EnsembleMember, ...]] = []
    for same_steps in by_steps.values():
        count = -(-len(same_steps) // size)
        groups.extend(tuple(same_steps[i::count]) for i in range(count))
    return sorted(groups, key=len, reverse=True)


def train_group(
    samples: Samples,
    rows: Sequence[IntArray],
    members: Sequence[EnsembleMember],
    recipe: TrainingRecipe,
    report: Report | None = None,
) -> tuple[list[NamedArrays], float]:
    """Train members together; returns their arrays for the ledger and the seconds it took."""
    import torch

    started = time.monotonic()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    ensemble = train(samples, rows, members, recipe, device=device, report=report)
    predictions = ensemble.predict(samples.spectra, samples.composition)
    trained: list[NamedArrays] = [
        {**ensemble.member_arrays(k), "predictions": predictions[k]} for k in range(len(members))
    ]
    return trained, time.monotonic() - started


TrainedGroups = Iterator[tuple[Sequence[EnsembleMember], list[NamedArrays], float]]
"""Members of each group, their arrays and the seconds the group took."""


def _train_here(
    plan: TrainingPlan,
    groups: Sequence[Sequence[EnsembleMember]],
    advance: Callable[[float], None],
) -> TrainedGroups:
    for members in groups:
        progress = _GroupProgress(len(members), advance)
        rows = [plan.rows(member) for member in members]
        trained, seconds = train_group(
            plan.prepared.samples, rows, members, plan.recipe, progress.reach
        )
        yield members, trained, seconds


def _train_on_cluster(
    plan: TrainingPlan,
    groups: Sequence[Sequence[EnsembleMember]],
    client: Client,
    advance: Callable[[float], None],
) -> TrainedGroups:
    from distributed import as_completed

    progress = {str(i): _GroupProgress(len(members), advance) for i, members in enumerate(groups)}

    def receive(event: tuple[Any, Mapping[str, Any]]) -> None:
        progress[event[1]["group"]].reach(event[1]["done"])

    client.subscribe_topic(TOPIC, receive)  # type: ignore[no-untyped-call]
    try:
        samples = client.scatter(plan.prepared.samples)  # type: ignore[no-untyped-call]
        futures = {
            client.submit(
                _group_task,
                str(i),
                samples,
                [plan.rows(member) for member in members],
                members,
                plan.recipe,
                pure=False,
                resources=task_resources(client),
            ): i
            for i, members in enumerate(groups)
        }
        for future in as_completed(futures):  # type: ignore[no-untyped-call]
            trained, seconds = future.result()
            progress[str(futures[future])].reach(1.0)
            yield groups[futures[future]], trained, seconds
            future.release()
    finally:
        client.unsubscribe_topic(TOPIC)  # type: ignore[no-untyped-call]


def _group_task(
    name: str,
    samples: Samples,
    rows: Sequence[IntArray],
    members: Sequence[EnsembleMember],
    recipe: TrainingRecipe,
) -> tuple[list[NamedArrays], float]:
    """Train a group on a worker, which reports its progress as events."""
    from distributed import get_worker

    worker = get_worker()
    last_reported = 0.0

    def report(done: float) -> None:
        nonlocal last_reported
        if done - last_reported >= REPORT_STEP:
            last_reported = done
            worker.log_event(TOPIC, {"group": name, "done": done})

    return train_group(samples, rows, members, recipe, report)


def _group_size(missing: int, client: Client | None) -> int:
    """All at once on a GPU, where another member costs almost nothing; else `GROUP` at most."""
    if client is None:
        return GROUP
    if task_resources(client):
        return missing
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    return min(GROUP, -(-missing // max(workers, 1)))


class _GroupProgress:
    """Reports the fraction done of one group as members' worth of new work."""

    def __init__(self, members: int, advance: Callable[[float], None]) -> None:
        self._members, self._advance = members, advance
        self._done = 0.0
        self._lock = threading.Lock()

    def reach(self, fraction: float) -> None:
        with self._lock:
            gain = (fraction - self._done) * self._members
            if gain > 0:
                self._done = fraction
                self._advance(gain)
