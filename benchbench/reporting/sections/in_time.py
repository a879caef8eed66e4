"""Audio and figures of single tracks over time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from benchbench.reporting.data.frames import Moments, Place, moments
from benchbench.reporting.data.kept_audio import Library
from benchbench.reporting.data.leaderboards import Leaderboard
from benchbench.reporting.data.loading import LoadedResults
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.sections.listening import Excerpt, chosen_places, excerpts
from benchbench.reporting.sections.time import Timeline, timeline
from benchbench.results.store import Results
from benchbench.stats.attempts import newest_separations

__all__ = ["InTime"]

STRIPS: Final = 10
"""Number of models in a figure over time."""


@dataclass(frozen=True)
class InTime:
    """Scores by frame, the moments to listen to, and the kept audio.

    Parameters
    ----------
    loaded
        The results behind the page.
    board
        The headline's leaderboard.
    report_models
        The models by name.
    leader, rivals
        The best model, and the models that are compared by listening.
    audio
        ``none``, ``excerpts`` or ``full``.
    shared
        Whether the data set's licence allows sharing excerpts.
    """

    loaded: LoadedResults
    board: Leaderboard
    report_models: dict[str, ReportModel]
    leader: str
    rivals: tuple[str, ...]
    audio: str
    shared: bool

    @cached_property
    def library(self) -> Library | None:
        """The kept audio, if the page may include it."""
        if self.audio == "none" or not self.shared:
            return None
        own = self.loaded.separations
        own = own[own["dataset"] == self.board.series.dataset]
        newest = newest_separations(own, [str(run.get("run_id")) for run in self.loaded.runs])
        return Library(tuple(Results(root) for root in self.loaded.roots), newest)

    @cached_property
    def moments(self) -> Moments | None:
        """The headline's target by frame."""
        series = self.board.series
        return moments(self.loaded.frames, series.dataset, series.references, series.target)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The moments to listen to."""
        return chosen_places(self.moments, self.leader, self.rivals) if self.moments else ()

    @cached_property
    def excerpts(self) -> tuple[Excerpt, ...]:
        """The audio of these moments."""
        if self.library is None:
            return ()
        target = self.board.series.target
        full = self.audio == "full"
        return excerpts(self.library, self.places, target, self.report_models, full=full)

    @cached_property
    def timelines(self) -> tuple[Timeline, ...]:
        """Figures of the tracks that contain these moments."""
        if self.moments is None:
            return ()
        heard = {excerpt.track: excerpt for excerpt in self.excerpts}
        tracks = list(dict.fromkeys(place.track for place in self.places))
        names = [name for name in self.report_models if not self.report_models[name].baseline][
            :STRIPS
        ]
        target = self.board.series.target
        return tuple(
            timeline(
                self.moments.tracks[track],
                names,
                self.report_models,
                target,
                self.library,
                heard.get(track),
                f"strip-{place}",
            )
            for place, track in enumerate(tracks)
        )

    @cached_property
    def worst(self) -> tuple[tuple[str, tuple[Place, ...]], ...]:
        """The five worst moments of each competing model."""
        if self.moments is None:
            return ()
        names = [self.leader, *(name for name in self.rivals if name != self.leader)][:6]
        return tuple((name, self.moments.worst(name)) for name in names)
