"""The work of a run: models x tracks -> separations -> cells, minus what is already stored.

Identity is by content: a separation is known by the adapter's code, its weights, its options and
the track; a cell is one separation under one version of one protocol. Any change gives a
new name, so an outdated result is never used.
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
"""What a run computes: only what is not stored, everything again, or nothing."""


def resume_mode(word: str) -> Resume:
    """The mode of that name.

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
    """One separation to compute, and the protocols to score it under."""

    identity: Identity
    track: Track
    separation_id: str
    protocols: tuple[Protocol, ...]


@dataclass(frozen=True)
class Plan:
    """The requested work minus what is stored; jobs are generated lazily.

    So a plan's size does not grow with the number of models, and it is never sent to workers.

    Parameters
    ----------
    identities, tracks, protocols
        What was asked for.
    stored
        The cells that are stored already.
    failed
        The failed separations that are not tried again.
    """

    identities: tuple[Identity, ...]
    tracks: tuple[Track, ...]
    protocols: tuple[Protocol, ...]
    stored: frozenset[str]
    failed: frozenset[str]

    def jobs(self, track: Track, models: Collection[str] | None = None) -> list[Job]:
        """The jobs that are left on a track, for all models or some of them."""
        jobs = []
        for identity in self.identities:
            if models is None or identity.model in models:
                job = self._job(identity, track)
                if job.protocols and job.separation_id not in self.failed:
                    jobs.append(job)
        return jobs

    def every_job(self) -> Iterator[Job]:
        """All jobs that are left, track by track."""
        for track in self.tracks:
            yield from self.jobs(track)

    def counts(self) -> tuple[dict[str, int], int]:
        """Number of jobs left per model, and number of stored cells."""
        left = dict.fromkeys((identity.model for identity in self.identities), 0)
        present = 0
        for track in self.tracks:
            for identity in self.identities:
                job = self._job(identity, track)
                present += len(self.protocols) - len(job.protocols)
                left[identity.model] += bool(job.protocols) and job.separation_id not in self.failed
        return left, present

    def only(self, models: Collection[str]) -> Plan:
        """The same plan for some of the models."""
        chosen = tuple(one for one in self.identities if one.model in models)
        return replace(self, identities=chosen)

    def asked_for(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names of all requested separations and cells, stored or not."""
        separations = frozenset(
            identity.separation_id(track) for track in self.tracks for identity in self.identities
        )
        cells = frozenset(cell_id(one, p) for one in separations for p in self.protocols)
        return separations, cells

    def _job(self, identity: Identity, track: Track) -> Job:
        separation = identity.separation_id(track)
        left = tuple(p for p in self.protocols if cell_id(separation, p) not in self.stored)
        return Job(identity, track, separation, left)


def plan(
    results: Results,
    identities: Sequence[Identity],
    tracks: Iterable[Track],
    protocols: Sequence[Protocol],
    *,
    resume: Resume = "only-missing",
    retry_failed: bool = False,
) -> Plan:
    """The work that is left.

    Parameters
    ----------
    results
        The folder of the earlier results.
    identities, tracks, protocols
        What was asked for.
    resume
        ``always``: compute everything again; otherwise stored cells are left out.
    retry_failed
        Whether separations that failed before are tried again.
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
