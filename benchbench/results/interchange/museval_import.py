"""Import museval's JSON files, including the published results of SiSEC 2018."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchbench.errors import UsageError
from benchbench.io.plain_files import plain_files
from benchbench.metrics import protocol as protocol_named
from benchbench.metrics.targets import ACCOMPANIMENT, in_order
from benchbench.results.interchange.import_store import content_digest, store_import
from benchbench.results.interchange.imported_values import Values, read_text, with_reasons
from benchbench.results.interchange.provenance import Imported, Roles, Source

__all__ = ["METRICS", "import_museval", "museval_reference_sets"]

METRICS: Final = ("SDR", "SIR", "SAR", "ISR")
"""museval's metrics in the order of its files."""

_SUBSETS: Final = {"test", "train"}
_TWO: Final = f"vocals+{ACCOMPANIMENT}"
_MALFORMED: Final = (
    *(ValueError, KeyError, TypeError, AttributeError),
    *(OverflowError, RecursionError),
)


def import_museval(
    path: Path | str,
    results: Path | str,
    source: Source,
    *,
    dataset: str = "musdb18",
    protocol: str = "bsseval-v4",
    roles: Roles | None = None,
) -> Imported:
    """Import the JSON files that museval writes, one per track.

    Parameters
    ----------
    path
        ``METHOD/test/TRACK.json`` for many methods (the tree of SiSEC 2018), ``test/TRACK.json`` or
        ``TRACK.json`` for one, which is named after the folder; or one file.
    results
        The results folder to import into.
    source
        Where the numbers come from.
    dataset, protocol
        The data set and protocol of the numbers: museval 0.2 and later use ``bsseval-v4``.
    roles
        Which methods are oracles or baselines.

    Raises
    ------
    UsageError
        Names the file that is not a museval file, or two files of one method and track.
    NothingToCompareError
        When there is no such file.

    Notes
    -----
    Files are read one method at a time, so the largest method determines the memory used.
    """
    root = Path(path)
    version = protocol_named(protocol).version
    methods = _files_by_method(root)
    listed = [(str(file.relative_to(root.parent)), file) for file in sorted(_every(methods))]
    parts = (
        _method_table(method, files, dataset, protocol, version)
        for method, files in methods.items()
    )
    return store_import(
        results,
        parts,
        source,
        kind="museval",
        files=[root],
        digest=content_digest(listed, dataset, protocol, version),
        roles=roles,
    )


def _every(methods: Mapping[str, Mapping[str, Path]]) -> Iterator[Path]:
    return (file for files in methods.values() for file in files.values())


def _files_by_method(root: Path) -> dict[str, dict[str, Path]]:
    """The files below a root: method to track to file."""
    every = [root] if root.is_file() else sorted(plain_files(root))
    files = [file for file in every if file == root or file.suffix == ".json"]
    methods: dict[str, dict[str, Path]] = {}
    for file in files:
        tracks = methods.setdefault(_method(root, file), {})
        track = file.name.removesuffix(".json")
        if track in tracks:
            raise UsageError(
                f"{tracks[track]} and {file} are of one method and one track.",
                hint="Import their folders one by one, with a --dataset each, or rename one file.",
            )
        tracks[track] = file
    return methods


def _method(root: Path, file: Path) -> str:
    """The method of a file: the first folder below the root, or else the root or its parent."""
    if root.is_file():
        folders = [folder.name for folder in file.resolve().parents]
        return next((name for name in folders if name not in _SUBSETS), root.stem)
    parts = file.relative_to(root).parts[:-1]
    if parts and not (len(parts) == 1 and parts[0] in _SUBSETS):
        return parts[0]
    root = root.resolve()
    return root.parent.name if root.name in _SUBSETS else root.name


@dataclass(slots=True)
class _Columns:
    """Columns of one method's rows; text is stored as indices into the method's distinct words."""

    words: dict[str, dict[str, int]] = field(default_factory=dict)
    codes: dict[str, list[np.ndarray[Any, Any]]] = field(default_factory=dict)
    numbers: dict[str, list[Values]] = field(default_factory=dict)
    reasons: list[np.ndarray[Any, Any]] = field(default_factory=list)

    def add(self, text: Mapping[str, str], numbers: Mapping[str, Values], reasons: Any) -> None:
        """Append rows with the same text columns."""
        for name, word in text.items():
            known = self.words.setdefault(name, {})
            code = known.setdefault(word, len(known))
            self.codes.setdefault(name, []).append(np.full(len(reasons), code, np.int32))
        for name, values in numbers.items():
            self.numbers.setdefault(name, []).append(values)
        self.reasons.append(reasons)

    def table(self, constant: Mapping[str, str | int]) -> pa.Table:
        """All rows as one table."""
        if not self.reasons:
            return pa.table({"model": pa.array([], pa.string())})
        reasons = pa.array(np.concatenate(self.reasons), pa.string())
        columns: dict[str, Any] = {
            name: pa.repeat(pa.scalar(value), len(reasons)) for name, value in constant.items()
        }
        for name, codes in self.codes.items():
            indices, words = pa.array(np.concatenate(codes)), pa.array(self.words[name])
            columns[name] = pa.DictionaryArray.from_arrays(indices, words)
        for name, numbers in self.numbers.items():
            values = np.concatenate(numbers)
            columns[name] = pa.array(values, pa.float64(), mask=np.isnan(values))
        return pa.table({**columns, "reason": reasons})


def _method_table(
    method: str, files: Mapping[str, Path], dataset: str, protocol: str, version: int
) -> pa.Table:
    columns = _Columns()
    for track, file in files.items():
        try:
            targets = [_Target.of(one) for one in json.loads(read_text(file))["targets"]]
            names = [target.name for target in targets]
            if len(set(names)) < len(names):
                raise ValueError("a target is given twice")
            sets = museval_reference_sets(names)
            for target in targets:
                for metric, (values, reasons, held) in target.scores(protocol).items():
                    text = {"track": track, "target": target.name, "metric": metric}
                    text["reference_set"] = sets[target.name]
                    numbers = {
                        "start_s": target.start_s[held],
                        "duration_s": target.duration_s[held],
                        "value": values,
                    }
                    columns.add(text, numbers, reasons)
        except _MALFORMED as error:
            raise UsageError(
                f"{file} is not a museval result: {_explained(error)}.",
                hint="Import a folder that holds museval's JSON files and no others.",
            ) from error
    constant = {"model": method, "dataset": dataset, "protocol": protocol}
    return columns.table({**constant, "metric_version": version})


def _explained(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]!r}"
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class _Target:
    """One target of a file; its frames are arrays of shape (frames,)."""

    name: str
    start_s: Values
    duration_s: Values
    metrics: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> _Target:
        frames = data["frames"]
        name = data["name"]
        if not isinstance(name, str) or not name:
            raise ValueError(f"a target is called {name!r}")
        start_s = _numbers([frame["time"] for frame in frames], "time")
        duration_s = _numbers([frame["duration"] for frame in frames], "duration")
        if not np.isfinite([start_s, duration_s]).all():
            raise ValueError(f"a frame of {name} has no time or duration")
        times, counts = np.unique(start_s, return_counts=True)
        if (counts > 1).any():
            raise ValueError(f"{name} has the frame at {times[counts > 1][0]} s twice")
        return cls(name, start_s, duration_s, [frame["metrics"] for frame in frames])

    def scores(self, protocol: str) -> dict[str, tuple[Values, Any, Any]]:
        """Values, reasons and frame mask of each metric in the file.

        museval writes NaN for all metrics of a frame in which any source is silent. A metric that a
        frame lacks has no row; any other missing number is ``not_stated``.
        """
        silent = np.array([_all_nan(metrics) for metrics in self.metrics], dtype=bool)
        scores = {}
        for metric in METRICS:
            held = np.array([metric in metrics for metrics in self.metrics], dtype=bool)
            if held.any():
                stated = [metrics[metric] for metrics in self.metrics if metric in metrics]
                values, reasons = with_reasons(_numbers(stated, metric), protocol, metric)
                reasons[silent[held]] = "silent_source_in_frame"
                scores[metric] = values, reasons, held
        return scores


def _all_nan(metrics: Mapping[str, Any]) -> bool:
    return all(metrics.get(metric, 0.0) != metrics.get(metric, 0.0) for metric in METRICS)


def _numbers(values: list[Any], what: str) -> Values:
    odd = {type(value) for value in values} - {float, int, type(None)}
    if odd:
        raise ValueError(f"a {what} is not a number but {next(iter(odd)).__name__}")
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def museval_reference_sets(targets: Iterable[str]) -> dict[str, str]:
    """The references that museval scored each target of a file against.

    If a file has both vocals and accompaniment, museval scores those two against each other, and
    the others in a run of all targets except the accompaniment. The numbers of the vocals in such
    a file therefore belong to the two-target scenario.
    """
    names = list(targets)
    stems = "+".join(in_order(name for name in names if name != ACCOMPANIMENT))
    both = {"vocals", ACCOMPANIMENT} <= set(names)
    return {name: _TWO if both and name in ("vocals", ACCOMPANIMENT) else stems for name in names}
