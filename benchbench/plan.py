"""What is to be done: models x tracks -> separations -> cells, minus what is already stored.

Identity is by content: a separation is known by the adapter's code, its weights, its options and
the track; a cell is one separation under one version of one protocol. Whatever changes makes a
new name, so nothing stale is ever taken for a result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchbench.corpus import Track
from benchbench.declarations import AnyValue
from benchbench.metrics.base import Protocol
from benchbench.store import Results

__all__ = ["Identity", "Job", "Resume", "adapter_hash", "cell_id", "plan", "short_hash"]

Resume = Literal["only-missing", "always", "never"]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a model is, by content."""

    model: str
    adapter_hash: str
    weights_hash: str
    options_hash: str

    def separation_id(self, track: Track) -> str:
        """The name of this model's separation of a track."""
        return short_hash(
            self.model, self.adapter_hash, self.weights_hash, self.options_hash,
            track.dataset, track.name, track.fingerprint,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One separation to make, and the protocols to score it under."""

    identity: Identity
    track: Track
    separation_id: str
    protocols: tuple[Protocol, ...]


def short_hash(*parts: object) -> str:
    """Twenty hexadecimal digits over some values, whatever they hold."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:20]


def options_hash(options: Mapping[str, AnyValue]) -> str:
    """A hash over options, whatever their order."""
    return short_hash(json.dumps(dict(options), sort_keys=True))


def adapter_hash(folder: Path) -> str:
    """A hash over the code and the manifest of an adapter's folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".toml") and "__pycache__" not in path.parts:
            text = path.read_bytes().replace(b"\r\n", b"\n")
            total.update(path.relative_to(folder).as_posix().encode() + b"\0" + text + b"\0")
    return total.hexdigest()[:16]


def cell_id(separation_id: str, protocol: Protocol) -> str:
    """The name of one separation's scores under one protocol."""
    return short_hash(separation_id, protocol.name, protocol.version)


def plan(
    results: Results,
    identities: Sequence[Identity],
    tracks: Iterable[Track],
    protocols: Sequence[Protocol],
    *,
    resume: Resume = "only-missing",
    retry_failed: bool = False,
) -> tuple[list[Job], int]:
    """The jobs that are left, track by track, and the number of cells that are stored already.

    Parameters
    ----------
    results
        Where earlier results lie.
    identities, tracks, protocols
        What was asked for.
    resume
        ``never``: compute everything again; otherwise what is stored is left out.
    retry_failed
        Whether separations that failed before are tried again.
    """
    dataset_tracks = list(tracks)
    failed = frozenset[str]() if retry_failed or resume == "never" else failed_separations(results)
    jobs, present = [], 0
    stored = {
        (identity.model, dataset): results.stored_cells(identity.model, dataset)
        for identity in identities
        for dataset in {track.dataset for track in dataset_tracks}
    }
    for track in dataset_tracks:
        for identity in identities:
            separation = identity.separation_id(track)
            there = stored[identity.model, track.dataset] if resume != "never" else frozenset()
            left = tuple(p for p in protocols if cell_id(separation, p) not in there)
            present += len(protocols) - len(left)
            if left and separation not in failed:
                jobs.append(Job(identity, track, separation, left))
    return jobs, present


def failed_separations(results: Results) -> frozenset[str]:
    """The separations whose last attempt did not end well."""
    table = results.separations().select(["separation_id", "status"]).to_pylist()
    return frozenset(row["separation_id"] for row in table if row["status"] != "ok")
