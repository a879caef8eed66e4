"""museval's JSON trees, and with them the published results of SiSEC 2018."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchbench.errors import UsageError
from benchbench.metrics import protocol as protocol_named
from benchbench.metrics.targets import ACCOMPANIMENT, in_order
from benchbench.results.interchange.provenance import Imported, Source, store_import

__all__ = ["import_museval", "museval_reference_sets", "read_museval"]

_METRICS = ("SDR", "ISR", "SIR", "SAR")
_SUBSETS = {"test", "train"}
_TWO = f"vocals+{ACCOMPANIMENT}"


def import_museval(
    path: Path | str,
    results: Path | str,
    source: Source,
    *,
    dataset: str = "musdb18",
    protocol: str = "bsseval-v4",
) -> Imported:
    """Import the JSON files that museval writes, one a track.

    Parameters
    ----------
    path
        ``METHOD/test/TRACK.json`` for many methods (the tree of SiSEC 2018), ``test/TRACK.json`` or
        ``TRACK.json`` for one, which is called as the folder.
    results
        The results folder to import into.
    source
        Where the numbers come from.
    dataset, protocol
        What they were measured on, and how: museval 0.2 and later use ``bsseval-v4``.

    Raises
    ------
    UsageError
        Naming the file that is not museval's.
    NothingToCompareError
        When there is no such file.
    """
    root = Path(path)
    rows = read_museval(root)
    rows["dataset"], rows["protocol"] = dataset, protocol
    rows["metric_version"] = protocol_named(protocol).version
    return store_import(results, rows, source, kind="museval", files=[root])


def read_museval(root: Path) -> pd.DataFrame:
    """The rows of all JSON files below `root`, without data set and protocol."""
    files = sorted(root.rglob("*.json"))
    return pd.DataFrame([row for file in files for row in _rows(file, _method(root, file))])


def _method(root: Path, file: Path) -> str:
    """The method that a file belongs to: the first folder below the root, or the root itself."""
    parts = [part for part in file.relative_to(root).parts[:-1] if part not in _SUBSETS]
    return parts[0] if parts else root.resolve().name


def _rows(file: Path, method: str) -> Iterator[dict[str, Any]]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        targets = [str(target["name"]) for target in data["targets"]]
        sets = museval_reference_sets(targets)
        for target in data["targets"]:
            for frame in target["frames"]:
                for metric in _METRICS:
                    value = frame["metrics"].get(metric)
                    yield {
                        "model": method,
                        "track": file.stem,
                        "target": str(target["name"]),
                        "reference_set": sets[str(target["name"])],
                        "metric": metric,
                        "start_s": float(frame["time"]),
                        "duration_s": float(frame["duration"]),
                        "value": float("nan") if value is None else float(value),
                        "reason": None if _finite(value) else "silent_source_in_frame",
                    }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{file} is not a museval result: {type(error).__name__}: {error}.",
            hint="Import a folder that holds museval's JSON files and no others.",
        ) from error


def _finite(value: Any) -> bool:
    return value is not None and float("-inf") < float(value) < float("inf")


def museval_reference_sets(targets: Iterable[str]) -> dict[str, str]:
    """The references that museval scored each target of a file against.

    When both vocals and accompaniment are there, museval scores those two against each other, and
    the rest in a run of all targets but the accompaniment. The numbers of the vocals in such
    a file are therefore those of the two-target scenario.
    """
    names = list(targets)
    stems = "+".join(in_order(name for name in names if name != ACCOMPANIMENT))
    both = {"vocals", ACCOMPANIMENT} <= set(names)
    return {name: _TWO if both and name in ("vocals", ACCOMPANIMENT) else stems for name in names}
