"""Export runs as TensorBoard event files, written by tensorboardX or by TensorFlow."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchbench.errors import MissingExtraError
from benchbench.results.interchange.trackers.record import TrackedRun

__all__ = ["export_tensorboard"]


def export_tensorboard(runs: Iterable[TrackedRun], to: Path | str) -> list[Path]:
    """Write each run into a folder named after it; an existing folder is replaced.

    Parameters
    ----------
    runs
        The runs.
    to
        TensorBoard's log directory.

    Returns
    -------
    list of Path
        One folder per run, which also holds the report.

    Raises
    ------
    MissingExtraError
        With neither tensorboardX nor TensorFlow.
    """
    folders = []
    for run in runs:
        folder = Path(to) / run.run_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        writer = _writer(folder)
        for name, value in run.metrics.items():
            writer.add_scalar(name, value, 0)
        for name, values in run.series.items():
            for step, one in enumerate(values):
                if one is not None:
                    writer.add_scalar(f"tracks/{name}", one, step)
        writer.add_text("parameters", _table(run.parameters), 0)
        writer.add_text("tracks", _table({str(n): t for n, t in enumerate(run.tracks)}), 0)
        writer.close()
        for number, path in enumerate(sorted(folder.glob("events.out.tfevents.*"))):
            # The usual name holds this machine's name.
            path.rename(path.with_name(f"events.out.tfevents.{number}.benchbench"))
        for file in run.files:
            shutil.copy2(file, folder / file.name)
        folders.append(folder)
    return folders


def _table(values: dict[str, str]) -> str:
    """A Markdown table, which TensorBoard renders."""
    rows = [f"| {name} | {value.replace('|', ' ')} |" for name, value in values.items()]
    return "\n".join(["| name | value |", "|---|---|", *rows])


def _writer(folder: Path) -> Any:
    if find_spec("tensorboardX"):
        from tensorboardX import SummaryWriter

        return SummaryWriter(str(folder))
    if find_spec("tensorflow"):
        return _TensorFlowWriter(folder)
    raise MissingExtraError("tensorboardX", "tensorboard", "Tracking with TensorBoard")


class _TensorFlowWriter:
    """TensorFlow's writer with the methods of tensorboardX.

    It uses TensorFlow's operations, because ``tf.summary`` needs the package tensorboard.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow

        self._tensorflow, self._operations = tensorflow, tensorflow.raw_ops
        self._writer = self._operations.SummaryWriter(shared_name=str(folder), container="")
        self._operations.CreateSummaryFileWriter(
            writer=self._writer,
            logdir=str(folder),
            max_queue=100,
            flush_millis=10_000,
            filename_suffix="",
        )

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self._operations.WriteScalarSummary(writer=self._writer, step=step, tag=name, value=value)

    def add_text(self, name: str, text: str, step: int) -> None:
        about = self._tensorflow.compat.v1.SummaryMetadata()
        about.plugin_data.plugin_name = "text"
        self._operations.WriteSummary(
            writer=self._writer,
            step=step,
            tensor=self._tensorflow.constant(text),
            tag=f"{name}/text_summary",
            summary_metadata=about.SerializeToString(),
        )

    def close(self) -> None:
        self._operations.CloseSummaryWriter(writer=self._writer)
