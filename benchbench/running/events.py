"""The events of a run, for progress displays and logs: small records without behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias, get_args

__all__ = [
    "Downloaded",
    "Event",
    "Finished",
    "Listener",
    "Note",
    "Planned",
    "Prepared",
    "ScoresReady",
    "Separated",
    "Skipped",
    "Spent",
    "Stage",
    "Started",
    "callbacks",
    "packed",
    "unpacked",
]


@dataclass(frozen=True, slots=True)
class Note:
    """A message of one line: a download, a generated data set, a licence notice."""

    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """The current stage of the run, for a progress display; `done` of `total` if they are known."""

    text: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Downloaded:
    """Bytes of a file that have arrived so far, and their total if it is known."""

    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """The planned work: number of separations, and of score cells that are stored already."""

    jobs: int
    present: int
    models: tuple[str, ...]
    tracks: int
    jobs_by_model: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """A model starts to separate a track."""

    model: str
    track: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A track was decoded; `flags` names what is unusual about it."""

    track: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Separated:
    """A separation has ended, with or without success; `log` is the file with the adapter's output."""

    model: str
    track: str
    status: str
    error: str | None
    wall_s: float | None
    audio_s: float | None
    log: str | None = None


@dataclass(frozen=True, slots=True)
class ScoresReady:
    """A separation's scores are stored; `headline` is one number per target, of `metric`."""

    model: str
    track: str
    headline: Mapping[str, float | None]
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Another run has stored the scores of this separation since this run was planned."""

    model: str
    track: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Time in seconds by stage of a batch; the last event of a batch."""

    preparing_s: float
    separating_s: float
    scoring_s: float

    def plus(
        self, *, preparing_s: float = 0.0, separating_s: float = 0.0, scoring_s: float = 0.0
    ) -> Spent:
        """A copy with seconds added."""
        return Spent(
            self.preparing_s + preparing_s,
            self.separating_s + separating_s,
            self.scoring_s + scoring_s,
        )


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over."""

    ok: int
    failed: int
    seconds: float


Event: TypeAlias = (
    Note
    | Stage
    | Downloaded
    | Planned
    | Prepared
    | Started
    | Separated
    | ScoresReady
    | Skipped
    | Spent
    | Finished
)
Listener: TypeAlias = Callable[[Event], None]


def callbacks(
    listener: Listener,
) -> tuple[Callable[[str], None], Callable[[int, int | None], None]]:
    """Two functions that send notes, and the progress of downloads, to a listener."""
    return (
        lambda text: listener(Note(text)),
        lambda done, total: listener(Downloaded(done, total)),
    )


def packed(event: Event) -> dict[str, Any]:
    """Convert an event to plain values that can be sent to another process; see `unpacked`."""
    return {"kind": type(event).__name__, **asdict(event)}


def unpacked(message: Mapping[str, Any]) -> Event:
    """Convert a message of `packed` back to the event."""
    kinds: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
    values = dict(message)
    return kinds[values.pop("kind")](**values)
