"""Results of ZFTurbo's Music-Source-Separation-Training: the log that its validation prints.

Its ``results.txt`` holds means over tracks only, which cannot be compared track by track; the
printed log of a verbose validation has every track.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import pandas as pd

from benchbench.errors import UsageError
from benchbench.metrics.stem_names import canonical
from benchbench.metrics.targets import in_order
from benchbench.results.interchange.provenance import Imported, Source, store_import

__all__ = ["import_msst", "read_msst"]

PROTOCOL: Final = "msst"
_NAMES: Final = {
    "sdr": "SDR",
    "si_sdr": "SI-SDR",
    "l1_freq": "L1-freq",
    "aura_stft": "aura-STFT",
    "aura_mrstft": "aura-MRSTFT",
    "log_wmse": "logWMSE",
    "bleedless": "bleedless",
    "fullness": "fullness",
}
_SONG: Final = re.compile(r"^Song: (?P<path>.+?) Shape: ")
_INSTRUMENT: Final = re.compile(r"^Instr: (?P<name>\S+)\s*$")
_VALUE: Final = re.compile(r"^Metric (?P<name>\S+)\s+value: (?P<value>\S+)\s*$")
_MEAN: Final = re.compile(r"^Instr \S+ \S+: \S+ \(Std: ")


def import_msst(
    path: Path | str,
    results: Path | str,
    source: Source,
    *,
    model: str | None = None,
    dataset: str = "musdb18-hq",
) -> Imported:
    """Import the log of a verbose validation.

    Parameters
    ----------
    path
        The log file.
    results
        The results folder to import into.
    source
        Where the numbers come from.
    model
        The model's name; by default the file's.
    dataset
        What was validated on; the log does not say.

    Raises
    ------
    UsageError
        When the file holds means over tracks only, or nothing of the kind.
    """
    path = Path(path)
    rows = read_msst(path)
    rows["model"], rows["dataset"] = model or path.stem, dataset
    rows["protocol"], rows["metric_version"] = PROTOCOL, 0
    return store_import(results, rows, source, kind="msst", files=[path])


def read_msst(path: Path) -> pd.DataFrame:
    """The rows of a log: track, target, reference_set, metric, value."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    rows = pd.DataFrame(list(_rows(lines)))
    if rows.empty:
        means = any(_MEAN.match(line) for line in lines)
        raise UsageError(
            f"{path} holds {'means over tracks only' if means else 'no results of a validation'}.",
            hint="Save what the validation prints with its verbose option: it names every song.",
        )
    rows["reference_set"] = "+".join(in_order(rows["target"].unique()))
    return rows


def _rows(lines: list[str]) -> Iterator[dict[str, Any]]:
    track = target = None
    for line in lines:
        if song := _SONG.match(line):
            text = song["path"]
            track = (PureWindowsPath(text) if "\\" in text else PurePosixPath(text)).name
            target = None
        elif instrument := _INSTRUMENT.match(line):
            target = canonical(instrument["name"])
        elif (value := _VALUE.match(line)) and track and target:
            yield {
                "track": track,
                "target": target,
                "metric": _NAMES.get(value["name"], value["name"]),
                "value": float(value["value"]),
            }
