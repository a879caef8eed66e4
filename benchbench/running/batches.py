"""Batches of jobs: one track with some models, executed by one pipeline.

A batch is the unit of work of an executor. Its track is decoded once and its references are
factored once; batches of the same models follow one another, so that models stay loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from benchbench.running.plan import Job, Plan

__all__ = ["Batch", "batches", "model_groups"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some jobs on one track.

    Parameters
    ----------
    number
        Its position in the run.
    jobs
        At least one; all of the same track.
    """

    number: int
    jobs: tuple[Job, ...]


def batches(
    plan: Plan, needs: Mapping[str, float], room_mb: float, pipelines: int
) -> Iterator[Batch]:
    """Generate the batches of a plan lazily.

    Parameters
    ----------
    plan
        The jobs that are not stored yet.
    needs
        Model name -> declared memory in megabytes.
    room_mb
        Memory in megabytes for all loaded models of one pipeline.
    pipelines
        Number of batches that run at the same time; with fewer tracks than that, the models of a
        track are split into several batches.
    """
    numbers = count()
    parts = -(-pipelines // max(1, len(plan.tracks)))
    for group in model_groups(needs, room_mb):
        size = -(-len(group) // parts)
        for track in plan.tracks:
            jobs = plan.jobs(track, group)
            for start in range(0, len(jobs), size):
                yield Batch(next(numbers), tuple(jobs[start : start + size]))


def model_groups(needs: Mapping[str, float], room_mb: float) -> list[Sequence[str]]:
    """Group models, in order, so that each group fits in memory; a model that does not is alone."""
    groups: list[list[str]] = []
    taken = 0.0
    for model, need in needs.items():
        if not groups or taken + need > room_mb:
            groups.append([])
            taken = 0.0
        groups[-1].append(model)
        taken += need
    return [tuple(group) for group in groups]
