"""Import results of ZFTurbo's Music-Source-Separation-Training from its validation log.

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
from benchbench.metrics import protocol as protocol_named
from benchbench.metrics.pairing.stem_names import canonical
from benchbench.metrics.targets import in_order
from benchbench.results.interchange.import_store import content_digest, store_import
from benchbench.results.interchange.imported_rows import LINE, number, score_tables
from benchbench.results.interchange.imported_values import read_text
from benchbench.results.interchange.provenance import Imported, Roles, Source

__all__ = ["import_msst", "read_msst"]

PROTOCOL: Final = "msst"
_NAMES: Final = {
    "sdr": "SDR",
    "si_sdr": "SI-SDR",
    "l1_freq": "L1-freq",
    "aura_stft": "aura-STFT",
    "aura_mrstft": "aura-MRSTFT",
    "log_wmse": "logWMSE",
    "l1_snr": "L1-SNR",
    "k_sdr": "K-SDR",
    "bleedless": "bleedless",
    "fullness": "fullness",
}
_SONG: Final = re.compile(r"^Song: (?P<path>.+) Shape: \(.*\)\s*$")
_INSTRUMENT: Final = re.compile(r"^Instr: (?P<name>.*\S)\s*$")
_VALUE: Final = re.compile(r"^Metric (?P<name>\S.*?)\s+value: (?P<value>\S+)\s*$")
_MEAN: Final = re.compile(r"^Instr .+ \S+: \S+ \(Std: ")
_WINDOWS: Final = re.compile(r"^([A-Za-z]:[\\/]|\\\\)")


def import_msst(
    path: Path | str,
    results: Path | str,
    source: Source,
    *,
    model: str | None = None,
    dataset: str = "musdb18-hq",
    roles: Roles | None = None,
) -> Imported:
    """Import the log of a verbose validation.

    The rows have the protocol ``msst``; ``--metrics msst`` computes the same numbers, so an
    imported model and one that was run locally share a column.

    Parameters
    ----------
    path
        The log file.
    results
        The results folder to import into.
    source
        Where the numbers come from.
    model
        The model's name; by default the file's name.
    dataset
        The validation data set, which the log does not name.
    roles
        Whether the model is an oracle or a baseline.

    Raises
    ------
    UsageError
        When the file holds only means over tracks, no such log, or a number twice.
    """
    path = Path(path)
    rows = read_msst(path)
    rows["model"], rows["dataset"] = model or path.stem, dataset
    rows["protocol"], rows["metric_version"] = PROTOCOL, protocol_named(PROTOCOL).version
    return store_import(
        results,
        score_tables(path, rows),
        source,
        kind="msst",
        files=[path],
        digest=content_digest([(path.name, path)], model, dataset, PROTOCOL),
        roles=roles,
    )


def read_msst(path: Path) -> pd.DataFrame:
    """The rows of a log: track, target, reference_set, metric, value, and the line's number."""
    lines = read_text(path).splitlines()
    rows = pd.DataFrame(list(_rows(path, lines)))
    if rows.empty:
        means = any(_MEAN.match(line) for line in lines)
        raise UsageError(
            f"{path} holds {'means over tracks only' if means else 'no results of a validation'}.",
            hint="Save what the validation prints with its verbose option: it names every song.",
        )
    rows["reference_set"] = "+".join(in_order(rows["target"].unique()))
    return rows


def _rows(path: Path, lines: list[str]) -> Iterator[dict[str, Any]]:
    track = target = None
    for line_number, line in enumerate(lines, start=1):
        if song := _SONG.match(line):
            text = song["path"]
            track = (PureWindowsPath if _WINDOWS.match(text) else PurePosixPath)(text).name
            target = None
        elif instrument := _INSTRUMENT.match(line):
            target = canonical(instrument["name"])
        elif (value := _VALUE.match(line)) and track and target:
            yield {
                "track": track,
                "target": target,
                "metric": _NAMES.get(value["name"], value["name"]),
                "value": number(path, line_number, "value", value["value"]),
                LINE: line_number,
            }
