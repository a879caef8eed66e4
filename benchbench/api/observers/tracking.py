"""Log runs to an experiment tracker: MLflow, TensorBoard or W&B."""

from __future__ import annotations

import os
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchbench.api.results import RunResult
from benchbench.errors import MissingExtraError, NothingToCompareError, UnknownNameError
from benchbench.results.interchange.trackers import (
    TrackedRun,
    export_mlflow,
    export_tensorboard,
    export_wandb,
    tracked_runs,
)
from benchbench.results.store import Results

__all__ = ["TRACKERS", "export_runs", "require_tracker", "track_run"]

TRACKERS: Final = {
    "mlflow": (export_mlflow, ("mlflow",)),
    "tensorboard": (export_tensorboard, ("tensorboardX", "tensorflow")),
    "wandb": (export_wandb, ("wandb",)),
}
"""Each tracker's export, and the packages of which one must be installed."""


def require_tracker(request: str) -> None:
    """Raise an error if a tracker is unknown or not installed.

    Parameters
    ----------
    request
        ``tracker``, or ``tracker=place``.

    Raises
    ------
    UnknownNameError, MissingExtraError
    """
    name = request.partition("=")[0]
    if name not in TRACKERS:
        raise UnknownNameError("tracker", name, TRACKERS)
    packages = TRACKERS[name][1]
    if not any(find_spec(package) for package in packages):
        raise MissingExtraError(packages[0], name, f"Tracking with {name}")


def track_run(result: RunResult, request: str) -> list[Path]:
    """Log all requested results of a run, whether newly computed or already stored.

    Parameters
    ----------
    result
        The run.
    request
        ``tracker``, or ``tracker=place``: a folder, or for MLflow an address. By default
        ``MLFLOW_TRACKING_URI`` for MLflow, and otherwise a folder ``trackers`` of the results.

    Returns
    -------
    list of Path
        The written files.
    """
    require_tracker(request)
    name, _, place = request.partition("=")
    own = str(result.root / "trackers" / name)
    address = os.environ.get("MLFLOW_TRACKING_URI", "") if name == "mlflow" else ""
    runs = tracked_runs(
        result.results,
        only=[result.run_id],
        scores=result.scores_frame(),
        separations=result.separations_frame(),
    )
    return _export(name, list(runs), place or address or own, result.root)


def export_runs(
    tracker: str, to: Path | str, results: Results, only: Collection[str] | None = None
) -> list[Path]:
    """Log all runs of a results folder, or some of them.

    Raises
    ------
    NothingToCompareError
        When no run stored scores.
    UnknownNameError, MissingExtraError
        When the tracker is unknown or not installed.
    """
    require_tracker(tracker)
    return _export(tracker, list(tracked_runs(results, only=only)), to, results.root)


def _export(name: str, runs: list[TrackedRun], to: Path | str, root: Path) -> list[Path]:
    if not runs:
        raise NothingToCompareError(
            f"No run in {root} has scores of its own to track.", hint="`bench list runs`"
        )
    return TRACKERS[name][0](runs, to)
