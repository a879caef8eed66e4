"""Export runs to MLflow; by default to an SQLite file, because MLflow 3 refuses folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchbench.errors import MissingExtraError
from benchbench.results.interchange.trackers.record import TrackedRun, plain_names

__all__ = ["export_mlflow"]

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:")
RUN_TAG = "benchbench.run_id"
PARAMETERS_AT_ONCE = 100
METRICS_AT_ONCE = 1000
LONGEST_PARAMETER = 6000


def export_mlflow(runs: Iterable[TrackedRun], to: Path | str) -> list[Path]:
    """Log each run; a run that was logged before is replaced.

    Parameters
    ----------
    runs
        The runs.
    to
        A folder for ``mlflow.db`` and artifacts, or the address of a tracking server or database.

    Returns
    -------
    list of Path
        The database; empty for an address.

    Raises
    ------
    MissingExtraError
        Without MLflow.
    """
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise MissingExtraError("mlflow", "mlflow", "Tracking with MLflow") from error
    text = str(to)
    if ADDRESS.match(text) and not Path(text).drive:
        client, artifacts, written = MlflowClient(tracking_uri=text), None, []
    else:
        folder = Path(to).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        database = folder / "mlflow.db"
        client = MlflowClient(tracking_uri=f"sqlite:///{database.as_posix()}")
        artifacts, written = (folder / "artifacts").as_uri(), [database]
    for run in runs:
        _log(client, run, artifacts)
    return written


def _log(client: Any, run: TrackedRun, artifacts: str | None) -> None:
    from mlflow.entities import Metric, Param, RunTag

    name = f"benchbench {run.dataset}"
    experiment = client.get_experiment_by_name(name)
    number = (
        experiment.experiment_id
        if experiment
        else client.create_experiment(name, artifact_location=artifacts)
    )
    for earlier in client.search_runs([number], f"tags.`{RUN_TAG}` = '{run.run_id}'"):
        client.delete_run(earlier.info.run_id)
    made = client.create_run(number, run_name=run.run_id, tags={RUN_TAG: run.run_id})
    key, start = made.info.run_id, made.info.start_time
    names = plain_names([*run.metrics, *run.series])
    metrics = [Metric(names[n], value, start, 0) for n, value in run.metrics.items()]
    metrics += [
        Metric(f"tracks/{names[n]}", value, start, step)
        for n, values in run.series.items()
        for step, value in enumerate(values)
        if value is not None
    ]
    keys = plain_names(run.parameters)
    params = [Param(keys[n], v[:LONGEST_PARAMETER]) for n, v in run.parameters.items()]
    tags = [RunTag(f"track {step}", track) for step, track in enumerate(run.tracks)]
    for first in range(0, len(params), PARAMETERS_AT_ONCE):
        client.log_batch(key, params=params[first : first + PARAMETERS_AT_ONCE])
    for first in range(0, len(tags), PARAMETERS_AT_ONCE):
        client.log_batch(key, tags=tags[first : first + PARAMETERS_AT_ONCE])
    for first in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(key, metrics=metrics[first : first + METRICS_AT_ONCE])
    for file in run.files:
        client.log_artifact(key, str(file))
    client.set_terminated(key)
