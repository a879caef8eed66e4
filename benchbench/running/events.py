"""The events of a run, for whoever watches it: small records without behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias, get_args

__all__ = [
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
    "packed",
    "unpacked",
]


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line: a download, a data set made, a licence notice."""

    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What the run does now, for a display that changes; `done` of `total` where they are known."""

    text: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done: separations, and score cells that are stored already."""

    jobs: int
    present: int
    models: tuple[str, ...]
    tracks: int
    jobs_by_model: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """A model begins with a track."""

    model: str
    track: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A track was decoded; `flags` says what is odd about it."""

    track: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Separated:
    """A separation ended, well or not; `log` is the file with the adapter's own output."""

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
    """Another run stored a separation's scores since this one was planned."""

    model: str
    track: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the seconds of a batch went; a batch's last event."""

    preparing_s: float
    separating_s: float
    scoring_s: float

    def plus(
        self, *, preparing_s: float = 0.0, separating_s: float = 0.0, scoring_s: float = 0.0
    ) -> Spent:
        """With some more seconds."""
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


def packed(event: Event) -> dict[str, Any]:
    """An event as plain values, to be sent to another process; see `unpacked`."""
    return {"kind": type(event).__name__, **asdict(event)}


def unpacked(message: Mapping[str, Any]) -> Event:
    """The event that `packed` made a message of."""
    kinds: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
    values = dict(message)
    return kinds[values.pop("kind")](**values)
