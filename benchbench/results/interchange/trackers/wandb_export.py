"""Export runs to Weights & Biases; offline unless WANDB_MODE says otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from benchbench.errors import MissingExtraError
from benchbench.results.interchange.trackers.record import TrackedRun

__all__ = ["export_wandb"]

SETTINGS: Final[dict[str, Any]] = {
    "silent": True, "console": "off",
    # W&B would send this machine's name, programs, folders and load, and the Git repository of the
    # working directory.
    "host": "", "program": "bench", "username": "", "email": "", "disable_git": True,
    "disable_code": True, "save_code": False, "disable_job_creation": True, "x_disable_meta": True,
    "x_disable_machine_info": True, "x_disable_stats": True,
}  # fmt: skip


def export_wandb(runs: Iterable[TrackedRun], to: Path | str) -> list[Path]:
    """Log each run; ``wandb sync`` sends offline runs to a server.

    Only the run's results are logged, and nothing about this machine, its user or its folders.

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
            settings=wandb.Settings(**SETTINGS),
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
