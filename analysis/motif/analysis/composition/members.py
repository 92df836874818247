"""Members of an ensemble as ledger rows, trained in groups over the workers of a cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.composition.partition import Partition
from motif.analysis.composition.preparation import Prepared
from motif.analysis.composition.recipes import Recipe
from motif.analysis.composition.samples import Member, Samples
from motif.analysis.composition.training import Report, steps_per_epoch, train
from motif.core.catalog import Derivation
from motif.core.compute import task_resources
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client

STAGE = "ensemble-member"
VERSION = 2
"""Raised whenever the same parameters would train another member."""
GROUP = 4
"""Members trained together on a CPU: most of the gain of a batch, little lost by a crash."""
TOPIC = "motif-composition"

MemberArrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Plan:
    """The members a study consists of."""

    workspace: Workspace
    collection: str
    prepared: Prepared
    recipe: Recipe
    members: tuple[Member, ...]
    partition: Partition

    def parameters(self, member: Member) -> dict[str, Any]:
        """What decides a member, for the ledger."""
        held_out = member.fold is not None
        parameters = {
            "version": VERSION,
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

    def find(self, member: Member) -> Derivation | None:
        """The ledger row of a member trained before."""
        ledger = self.workspace.ledger
        return ledger.find(STAGE, self.parameters(member), self.prepared.ids)

    def rows(self, member: Member) -> NDArray[np.int64]:
        """Samples a member is trained on."""
        return self.partition.rows(member)

    def keep(self, member: Member, arrays: MemberArrays, seconds: float) -> Derivation:
        """Write a trained member into the ledger."""
        target = self.prepared.samples.target
        held_out = np.setdiff1d(np.arange(len(target)), self.rows(member))
        summary: dict[str, Any] = {"trained_on": len(target) - len(held_out)}
        if len(held_out):
            error = arrays["predictions"][held_out] - target[held_out]
            summary["held_out"] = len(held_out)
            summary["held_out_mae"] = float(np.abs(error).mean())
        return self.workspace.ledger.record(
            STAGE,
            self.collection,
            self.parameters(member),
            self.prepared.ids,
            arrays,
            summary,
            seconds,
        )


def train_missing(
    plan: Plan, client: Client | None, advance: Callable[[float], None]
) -> list[Derivation]:
    """Ledger rows of all members of the plan, in its order, training those not there yet.

    A group is written as soon as it is trained; what a crash leaves is not trained again.
    `advance` is called with the members' worth of work done since the last call.
    """
    missing = [m for m in plan.members if plan.find(m) is None]
    advance(len(plan.members) - len(missing))
    if missing:
        groups = grouped(plan, missing, _group_size(len(missing), client))
        runner = _here(plan, groups, advance)
        if client is not None:
            runner = _on_cluster(plan, groups, client, advance)
        for members, trained, seconds in runner:
            for member, arrays in zip(members, trained, strict=True):
                plan.keep(member, arrays, seconds / len(members))
    return [found for m in plan.members if (found := plan.find(m)) is not None]


def grouped(plan: Plan, members: Sequence[Member], size: int) -> list[tuple[Member, ...]]:
    """Groups of at most `size` members with equally many steps per epoch."""
    by_steps: dict[int, list[Member]] = {}
    for member in members:
        steps = steps_per_epoch(len(plan.rows(member)), plan.recipe.batch)
        by_steps.setdefault(steps, []).append(member)
    groups: list[tuple[Member, ...]] = []
    for alike in by_steps.values():
        parts = -(-len(alike) // size)
        groups.extend(tuple(alike[i::parts]) for i in range(parts))
    return sorted(groups, key=len, reverse=True)


def train_group(
    samples: Samples,
    rows: Sequence[NDArray[np.int64]],
    members: Sequence[Member],
    recipe: Recipe,
    report: Report | None = None,
) -> tuple[list[MemberArrays], float]:
    """Train members together; their arrays for the ledger and the seconds it took."""
    import torch

    started = time.monotonic()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    ensemble = train(samples, rows, members, recipe, device=device, report=report)
    predictions = ensemble.predict(samples.spectra, samples.composition)
    trained: list[MemberArrays] = [
        {**ensemble.member_arrays(k), "predictions": predictions[k]} for k in range(len(members))
    ]
    return trained, time.monotonic() - started


Trained = Iterator[tuple[Sequence[Member], list[MemberArrays], float]]


def _here(
    plan: Plan, groups: Sequence[Sequence[Member]], advance: Callable[[float], None]
) -> Trained:
    for members in groups:
        share = _Share(len(members), advance)
        rows = [plan.rows(m) for m in members]
        trained, seconds = train_group(
            plan.prepared.samples, rows, members, plan.recipe, share.reached
        )
        yield members, trained, seconds


def _on_cluster(
    plan: Plan,
    groups: Sequence[Sequence[Member]],
    client: Client,
    advance: Callable[[float], None],
) -> Trained:
    from distributed import as_completed

    shares = {str(i): _Share(len(members), advance) for i, members in enumerate(groups)}

    def hear(event: tuple[Any, Mapping[str, Any]]) -> None:
        shares[event[1]["group"]].reached(event[1]["done"])

    client.subscribe_topic(TOPIC, hear)  # type: ignore[no-untyped-call]
    try:
        samples = client.scatter(plan.prepared.samples)  # type: ignore[no-untyped-call]
        futures = {
            client.submit(
                _group_task,
                str(i),
                samples,
                [plan.rows(m) for m in members],
                members,
                plan.recipe,
                pure=False,
                resources=task_resources(client),
            ): i
            for i, members in enumerate(groups)
        }
        for future in as_completed(futures):  # type: ignore[no-untyped-call]
            trained, seconds = future.result()
            shares[str(futures[future])].reached(1.0)
            yield groups[futures[future]], trained, seconds
            future.release()
    finally:
        client.unsubscribe_topic(TOPIC)  # type: ignore[no-untyped-call]


def _group_task(
    name: str,
    samples: Samples,
    rows: Sequence[NDArray[np.int64]],
    members: Sequence[Member],
    recipe: Recipe,
) -> tuple[list[MemberArrays], float]:
    from distributed import get_worker

    worker = get_worker()
    said = 0.0

    def report(done: float) -> None:
        nonlocal said
        if done - said >= 0.05:
            said = done
            worker.log_event(TOPIC, {"group": name, "done": done})

    return train_group(samples, rows, members, recipe, report)


def _group_size(missing: int, client: Client | None) -> int:
    """All at once on a GPU, where a member more costs next to nothing; else `GROUP` at most."""
    if client is None:
        return GROUP
    if task_resources(client):
        return missing
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    return min(GROUP, -(-missing // max(workers, 1)))


class _Share:
    """Turns the fraction done of one group into members' worth of work since last told."""

    def __init__(self, members: int, advance: Callable[[float], None]) -> None:
        self._members, self._advance = members, advance
        self._done = 0.0
        self._lock = threading.Lock()

    def reached(self, fraction: float) -> None:
        with self._lock:
            gain = (fraction - self._done) * self._members
            if gain > 0:
                self._done = fraction
                self._advance(gain)
