"""Export to experiment trackers: one tracker run for each run of benchbench."""

from benchbench.results.interchange.trackers.mlflow_export import export_mlflow
from benchbench.results.interchange.trackers.record import TrackedRun, plain_names, tracked_runs
from benchbench.results.interchange.trackers.tensorboard_export import export_tensorboard
from benchbench.results.interchange.trackers.wandb_export import export_wandb

__all__ = [
    "TrackedRun",
    "export_mlflow",
    "export_tensorboard",
    "export_wandb",
    "plain_names",
    "tracked_runs",
]
