"""Score a network during training, on whole excerpts and with the metrics of a run."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.datasets.dataset import Track, open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.errors import AudioError, NothingToCompareError, UsageError
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.io.processes.scratch import scratch_folder
from benchbench.metrics import DIAGNOSTICS, evaluate, resolve
from benchbench.metrics.references import References
from benchbench.metrics.signals import as_audio
from benchbench.metrics.targets import reference_sets
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.model_names import listed
from benchbench.scoring.score_rows import add
from benchbench.stats.aggregations import AGGREGATIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Separate", "Validator", "stems_of"]

Separate: TypeAlias = Callable[[npt.NDArray[np.float32], int], Mapping[str, Any]]
"""``(mixture, sample_rate) -> {stem: array}``: mixture and stems of shape (channels, samples)."""

CACHE_BYTES = 16 << 20
"""Memory limit for values computed from the references of one track."""


@dataclass(frozen=True)
class _Excerpt:
    """An excerpt of a track, stored in raw files."""

    name: str
    sample_rate: int
    mixture: RawAudio
    stems: dict[str, RawAudio]


class Validator:
    """Scores a separator on a data set repeatedly; each call returns plain numbers.

    The data set is decoded once. Excerpts are memory-mapped files, and values that depend only on
    the references are computed once.

    Parameters
    ----------
    dataset
        The data set's name.
    metrics
        Names of protocols or groups, joined by commas or as a sequence.
    root, split, tracks, limit
        As for `benchbench.run`.
    seconds
        The length of the excerpt, from the middle of each track; None: whole tracks.

    Raises
    ------
    UsageError, UnknownNameError
        When the data set is missing, or a name is unknown.

    Examples
    --------
    >>> validator = benchbench.Validator("musdb18-hq", "usdr,si", split="test")  # doctest: +SKIP
    >>> validator(lambda mixture, rate: {"vocals": network(mixture)})  # doctest: +SKIP
    {'usdr/SDR/vocals': 5.1, 'si/SI-SDR/vocals': 4.6, ...}
    """

    def __init__(
        self,
        dataset: str = "demo",
        metrics: str | Sequence[str] = "usdr,si",
        *,
        root: Path | str | None = None,
        split: str | None = None,
        tracks: str | Sequence[str] | None = None,
        limit: int | None = None,
        seconds: float | None = 30.0,
    ) -> None:
        if seconds is not None and seconds <= 0:
            raise UsageError(f"Excerpts must be longer than 0 s, not {seconds} s.")
        self.protocols = resolve(metrics)
        opened = open_dataset(
            Catalog().dataset(dataset),
            Path(root) if root is not None else None,
            split=split,
            names=None if tracks is None else listed(tracks),
            limit=limit,
        )
        stack = ExitStack()
        self.folder = stack.enter_context(scratch_folder())
        self._remove = weakref.finalize(self, stack.close)
        self._excerpts = [
            _excerpt(track, self.folder / str(number), seconds)
            for number, track in enumerate(opened.tracks)
        ]
        self._references: dict[tuple[str, str], References] = {}
        self._rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._excerpts)

    def __call__(self, separate: Separate) -> dict[str, float]:
        """Separate and score every excerpt.

        Parameters
        ----------
        separate
            ``(mixture, sample_rate) -> {stem: array}``; arrays of NumPy, PyTorch, TensorFlow or
            JAX of the mixture's shape (channels, samples).

        Returns
        -------
        dict
            ``protocol/metric/target`` and ``protocol/metric/mean`` (over targets) to the number,
            aggregated over tracks as the protocol defines. Targets without any value are
            left out.

        Raises
        ------
        AudioError
            When stems do not fit the mixture or hold NaN.
        NothingToCompareError
            When no stem has a reference.
        """
        self._rows = [row for excerpt in self._excerpts for row in self._scored(excerpt, separate)]
        values = self._summed_up()
        if not values:
            raise NothingToCompareError(
                "No score has a value.", hint="Name the stems as the data set does: vocals, ..."
            )
        return values

    def to_frame(self) -> pd.DataFrame:
        """The last call's numbers: track, target, protocol, metric, value."""
        import pandas as pd

        return pd.DataFrame(self._rows, columns=["track", "target", "protocol", "metric", "value"])

    def close(self) -> None:
        """Delete the excerpts from disk; also done when the validator is garbage-collected."""
        self._references.clear()
        self._remove()

    def _scored(self, excerpt: _Excerpt, separate: Separate) -> Iterator[dict[str, Any]]:
        mixture = excerpt.mixture.open()
        stems = stems_of(separate(mixture, excerpt.sample_rate))
        chosen = reference_sets(tuple(excerpt.stems), tuple(stems))[0]
        key = (excerpt.name, chosen.name)
        if key not in self._references:
            true = {
                target: add([excerpt.stems[part].open() for part in parts])
                for target, parts in chosen.references.items()
            }
            self._references[key] = References(true, excerpt.sample_rate, cache_bytes=CACHE_BYTES)
        estimates = {
            target: add([stems[part] for part in parts])
            for target, parts in chosen.estimates.items()
        }
        scores = evaluate(self._references[key], estimates, protocols=self.protocols)
        for protocol, every in scores.items():
            for series in every:
                if series.metric in DIAGNOSTICS or series.band_lo_hz is not None:
                    continue
                finite = series.values[np.isfinite(series.values)]
                if finite.size:
                    yield {
                        "track": excerpt.name, "target": series.target, "protocol": protocol,
                        "metric": series.metric, "value": float(np.median(finite)),
                    }  # fmt: skip

    def _summed_up(self) -> dict[str, float]:
        means = {one.name: AGGREGATIONS[one.aggregation].tracks == "mean" for one in self.protocols}
        by_key: dict[tuple[str, str, str], list[float]] = {}
        for row in self._rows:
            key = (row["protocol"], row["metric"], row["target"])
            by_key.setdefault(key, []).append(row["value"])
        values: dict[str, float] = {}
        targets: dict[str, list[float]] = {}
        for (protocol, metric, target), numbers in by_key.items():
            number = float(np.mean(numbers) if means[protocol] else np.median(numbers))
            values[f"{protocol}/{metric}/{target}"] = number
            targets.setdefault(f"{protocol}/{metric}/mean", []).append(number)
        return values | {name: float(np.mean(numbers)) for name, numbers in targets.items()}


def stems_of(answer: Any) -> dict[str, npt.NDArray[Any]]:
    """The stems that a function returned, as NumPy arrays.

    Raises
    ------
    AudioError
        When the answer is no mapping, or a stem is no audio.
    """
    if not isinstance(answer, Mapping) or not answer:
        shown = "no stem" if isinstance(answer, Mapping) else type(answer).__name__
        raise AudioError(
            f"The separator returned {shown}.",
            hint="A mapping is needed: {stem: array of shape (channels, samples)}.",
        )
    return {name: as_audio(stem, f"stem {name!r}") for name, stem in answer.items()}


def _excerpt(track: Track, folder: Path, seconds: float | None) -> _Excerpt:
    """Decode a track and keep an excerpt from its middle."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        prepared = prepare(track, Path(scratch))
        total, rate = prepared.mixture.samples, prepared.sample_rate
        length = total if seconds is None else min(total, round(seconds * rate))
        first = (total - length) // 2

        def kept(raw: RawAudio, name: str) -> RawAudio:
            return write_raw(folder / f"{name}.f32", [raw.open()[:, first : first + length]])

        stems = {
            name: kept(raw, str(number))
            for number, (name, raw) in enumerate(prepared.stems.items())
        }
        return _Excerpt(track.name, rate, kept(prepared.mixture, "mixture"), stems)
