"""Results from publications, with their protocol, data set and citation.

They are shown beside measured results for orientation. Nothing is computed from them: intervals
and tests need per-track numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchbench.errors import ManifestError
from benchbench.io.toml_files import read_toml

__all__ = ["PublishedResult", "published_results", "published_table", "read_published"]


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """One model's published numbers on one protocol.

    Parameters
    ----------
    model
        The name in the publication.
    dataset, protocol, aggregation, metric
        What was measured and how it was aggregated; the aggregation is a key of
        `benchbench.stats.AGGREGATIONS`.
    reference_set
        The references that the targets were scored against; ``unstated`` where unknown.
    values
        Values by target.
    source
        The publication.
    oracle, baseline
        Whether the model saw the references; whether it separates nothing (the mixture itself).
    extra_data
        Whether it was trained on more than the data set's training split.
    note
        A remark for readers.
    """

    model: str
    dataset: str
    protocol: str
    aggregation: str
    metric: str
    values: dict[str, float]
    source: str
    reference_set: str = "unstated"
    oracle: bool = False
    baseline: bool = False
    extra_data: bool = False
    note: str = ""


_SHARED: Final = ("dataset", "protocol", "aggregation", "reference_set", "source", "note")
_OWN: Final = ("model", "oracle", "baseline", "extra_data", "note", "source")


def read_published(path: Path) -> tuple[PublishedResult, ...]:
    """Read a file of published results.

    A table ``[[series]]`` holds the fields that its entries share. Each ``[[series.entries]]``
    has a model, flags, and a table of values by target for every metric.

    Raises
    ------
    ManifestError
        When the file is invalid; the error names the file and the problem.
    """
    data = read_toml(path)
    try:
        return tuple(
            result
            for series in data["series"]
            for entry in series["entries"]
            for result in _results(series, entry)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path}: {type(error).__name__}: {error}.") from error


def _results(series: dict[str, Any], entry: dict[str, Any]) -> list[PublishedResult]:
    shared: dict[str, Any] = {key: series[key] for key in _SHARED if key in series}
    own: dict[str, Any] = {key: entry[key] for key in _OWN if key in entry}
    metrics = {key: value for key, value in entry.items() if isinstance(value, dict)}
    unknown = set(entry) - set(own) - set(metrics)
    if unknown or not metrics:
        raise ValueError(f"entry {entry.get('model')!r}: unknown keys {sorted(unknown)}")
    return [
        PublishedResult(
            **{**shared, **own},
            metric=metric,
            values={target: float(value) for target, value in values.items()},
        )
        for metric, values in metrics.items()
    ]


@cache
def published_results() -> tuple[PublishedResult, ...]:
    """The results that come with benchbench."""
    return read_published(Path(str(files("benchbench.reporting.data") / "published.toml")))


def published_table(results: Sequence[PublishedResult] | None = None) -> pd.DataFrame:
    """One row per model, target and metric, with the columns of `PublishedResult`."""
    found = published_results() if results is None else results
    columns = [name for name in PublishedResult.__slots__ if name != "values"]
    return pd.DataFrame(
        [
            {**{name: getattr(result, name) for name in columns}, "target": target, "value": value}
            for result in found
            for target, value in result.values.items()
        ],
        columns=[*columns, "target", "value"],
    )
