"""The table of ``bench run --plan``: separations, time and downloads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchbench.cli.terminal import wrapped
from benchbench.io.text_table import aligned
from benchbench.stats.wording import count

if TYPE_CHECKING:
    from benchbench.api.plan import ModelPlan, RunPlan

__all__ = ["plan_table"]


def plan_table(planned: RunPlan, columns: int | None = None) -> str:
    """One line per model, and the totals below."""
    rows = [
        [
            model.model,
            "?" if model.separations is None else str(model.separations),
            "?" if model.seconds is None else _duration(model.seconds),
            _megabytes(model.download_mb),
        ]
        for model in planned.models
    ]
    table = aligned(["model", "separations", "time", "download"], rows)
    return table + wrapped(_sentences(planned), columns)


def _sentences(planned: RunPlan) -> Iterator[str]:
    if planned.tracks is None:
        yield f"The data set {planned.dataset} is made first (once), so its length is not known yet."
    else:
        length = "" if planned.audio_s is None else f", {_duration(planned.audio_s)} of audio"
        yield f"{planned.dataset}: {count(planned.tracks, 'track')}{length}."
    if planned.stored:
        yield f"{count(planned.stored, 'result')} stored already."
    timed = [model.seconds for model in planned.models if model.seconds is not None]
    if timed:
        yield f"Separating takes about {_duration(sum(timed))}; plus the time for scoring."
    if any(_untimed(model) for model in planned.models):
        yield "A time of ? means that the model was never timed in this results folder."
    yield "Nothing was done."


def _untimed(model: ModelPlan) -> bool:
    return model.seconds is None and model.separations != 0


def _megabytes(size: float | None) -> str:
    if size is None:
        return "yes, size unknown"
    return "-" if size == 0 else f"{size:.0f} MB" if size < 1000 else f"{size / 1000:.1f} GB"


def _duration(seconds: float) -> str:
    """``40 s``, ``3 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
