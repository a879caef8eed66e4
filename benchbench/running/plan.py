"""The plan of a run: models x tracks -> separations -> cells, minus the stored cells.

Identity is by content: a separation is identified by the adapter's code, its weights, its options
and the track; a cell is one separation under one version of one protocol. Any change gives a
new name, so an outdated result is never reused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import pyarrow.compute as pc

from benchbench.datasets.dataset import Track
from benchbench.errors import UnknownNameError, UsageError
from benchbench.metrics.base import Protocol
from benchbench.results.store import Results
from benchbench.scoring.score_rows import cell_id
from benchbench.separation.identity import Identity

__all__ = [
    "Job",
    "Plan",
    "Resume",
    "plan",
    "resume_mode",
]

Resume = Literal["only-missing", "always", "only-cache"]
"""What a run computes: cells that are not stored, everything again, or nothing."""


def resume_mode(word: str) -> Resume:
    """The resume mode of that name.

    Raises
    ------
    UsageError
        For a name of earlier versions; the message gives the new name.
    UnknownNameError
        For any other name.

    Examples
    --------
    >>> resume_mode("always")
    'always'
    """
    if word == "never":
        raise UsageError(
            "There is no --resume never: to compute everything again is called `always` now.",
            hint="Use --resume always. What `always` meant before is called `only-cache`.",
        )
    if word not in get_args(Resume):
        raise UnknownNameError("value", word, get_args(Resume), where=" of --resume")
    return cast(Resume, word)


@dataclass(frozen=True, slots=True)
class Job:
    """One separation to compute, and the protocols to score it with."""

    identity: Identity
    track: Track
    separation_id: str
    protocols: tuple[Protocol, ...]


@dataclass(frozen=True)
class Plan:
    """The requested separations and cells, minus the stored ones; jobs are generated lazily.

    Therefore a plan's size does not grow with the number of models, and it is never sent to workers.

    Parameters
    ----------
    identities, tracks, protocols
        The requested models, tracks and protocols.
    stored
        The cells that are stored already.
    failed
        The failed separations that are not retried.
    """

    identities: tuple[Identity, ...]
    tracks: tuple[Track, ...]
    protocols: tuple[Protocol, ...]
    stored: frozenset[str]
    failed: frozenset[str]

    def jobs(self, track: Track, models: Collection[str] | None = None) -> list[Job]:
        """The pending jobs on a track, of all models or of some."""
        jobs = []
        for identity in self.identities:
            if models is None or identity.model in models:
                job = self._job(identity, track)
                if job.protocols and job.separation_id not in self.failed:
                    jobs.append(job)
        return jobs

    def every_job(self) -> Iterator[Job]:
        """All pending jobs, track by track."""
        for track in self.tracks:
            yield from self.jobs(track)

    def counts(self) -> tuple[dict[str, int], int]:
        """Number of pending jobs per model, and number of stored cells."""
        pending = dict.fromkeys((identity.model for identity in self.identities), 0)
        stored = 0
        for track in self.tracks:
            for identity in self.identities:
                job = self._job(identity, track)
                stored += len(self.protocols) - len(job.protocols)
                pending[identity.model] += (
                    bool(job.protocols) and job.separation_id not in self.failed
                )
        return pending, stored

    def only(self, models: Collection[str]) -> Plan:
        """The plan restricted to some of the models."""
        chosen = tuple(identity for identity in self.identities if identity.model in models)
        return replace(self, identities=chosen)

    def asked_for(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names of all separations and of all cells, stored or pending."""
        separations = frozenset(
            identity.separation_id(track) for track in self.tracks for identity in self.identities
        )
        cells = frozenset(
            cell_id(separation, p) for separation in separations for p in self.protocols
        )
        return separations, cells

    def _job(self, identity: Identity, track: Track) -> Job:
        separation = identity.separation_id(track)
        unstored = tuple(p for p in self.protocols if cell_id(separation, p) not in self.stored)
        return Job(identity, track, separation, unstored)


def plan(
    results: Results,
    identities: Sequence[Identity],
    tracks: Iterable[Track],
    protocols: Sequence[Protocol],
    *,
    resume: Resume = "only-missing",
    retry_failed: bool = False,
) -> Plan:
    """Make the plan of a run.

    Parameters
    ----------
    results
        The store with earlier results.
    identities, tracks, protocols
        The requested models, tracks and protocols.
    resume
        ``always``: compute everything again; otherwise stored cells are left out.
    retry_failed
        Whether separations that failed before are retried.
    """
    chosen = tuple(tracks)
    failed = frozenset[str]() if retry_failed or resume == "always" else failed_separations(results)
    stored: set[str] = set()
    if resume != "always":
        for identity in identities:
            for dataset in {track.dataset for track in chosen}:
                stored |= results.stored_cells(identity.model, dataset)
    return Plan(tuple(identities), chosen, tuple(protocols), frozenset(stored), failed)


def failed_separations(results: Results) -> frozenset[str]:
    """The separations whose last attempt failed."""
    table = results.separations(columns=["separation_id", "status"])
    bad = table.filter(pc.field("status") != "ok")
    return frozenset(bad.column("separation_id").to_pylist())
