"""Export runs to Weights & Biases; offline unless WANDB_MODE says otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from benchbench.errors import MissingExtraError
from benchbench.results.interchange.trackers.record import TrackedRun

__all__ = ["export_wandb"]


def export_wandb(runs: Iterable[TrackedRun], to: Path | str) -> list[Path]:
    """Log each run; ``wandb sync`` sends offline runs to a server.

    Parameters
    ----------
    runs
        The runs.
    to
        The folder in which W&B creates its folder ``wandb``.

    Returns
    -------
    list of Path
        W&B's folder of each run.

    Raises
    ------
    MissingExtraError
        Without wandb.
    """
    try:
        import wandb
    except ImportError as error:
        raise MissingExtraError("wandb", "wandb", "Tracking with W&B") from error
    folder = Path(to)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for run in runs:
        mode = "online" if os.environ.get("WANDB_MODE") == "online" else "offline"
        logged = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "benchbench"),
            name=run.run_id,
            id=run.run_id,
            group=run.dataset,
            dir=str(folder),
            config={**run.parameters, "tracks": list(run.tracks)},
            mode=mode,
            reinit="finish_previous",
            settings=wandb.Settings(silent=True, console="off"),
        )
        for step, track in enumerate(run.tracks):
            values = {
                f"tracks/{name}": series[step]
                for name, series in run.series.items()
                if series[step] is not None
            }
            logged.log({"track": track, **values}, step=step)
        logged.summary.update(run.metrics)
        artifact = wandb.Artifact(f"report-{run.run_id}", type="report")
        for file in run.files:
            artifact.add_file(str(file))
        logged.log_artifact(artifact)
        written.append(Path(logged.dir).parent)
        logged.finish()
    return written
