"""Score one model's estimates of a track by several protocols at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from benchbench.errors import AudioError, UsageError
from benchbench.metrics.base import Estimates, Protocol, Series
from benchbench.metrics.names import resolve
from benchbench.metrics.references import References
from benchbench.metrics.signals import ArrayLike, as_audio

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Scores", "evaluate"]

Protocols: TypeAlias = str | Sequence[Protocol | str]
"""Names joined by commas, or a sequence of names and protocols."""

SINGLE = "target"
"""The name of the target when references and estimates are single arrays."""


class Scores(dict[str, list[Series]]):
    """Series by name of the protocol; `to_frame` gives one row per number."""

    def to_frame(self) -> pd.DataFrame:
        """All numbers as a data frame.

        Returns
        -------
        DataFrame
            Columns ``target``, ``protocol``, ``metric``, ``start_s``, ``duration_s``,
            ``band_lo_hz``, ``band_hi_hz`` (NaN: whole track, all bands), ``value`` and ``reason``.
        """
        import pandas as pd

        rows = [_columns(name, series) for name, every in self.items() for series in every]
        if not rows:
            return pd.DataFrame(columns=["target", "protocol", "metric", *_NUMBERS, "reason"])
        return pd.DataFrame(
            {
                column: np.concatenate([row[column] for row in rows])
                if column in _NUMBERS
                else [cell for row in rows for cell in row[column]]
                for column in rows[0]
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row per target, one column per metric: the median over frames where there are any.

        Numbers by frequency band are left out.
        """
        frame = self.to_frame()
        frame = frame[frame["band_lo_hz"].isna()]
        return frame.pivot_table(
            index="target", columns=["protocol", "metric"], values="value", aggfunc="median",
            sort=False,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        html: str = self.summary().to_html(float_format="{:.2f}".format)
        return html


_NUMBERS = ("start_s", "duration_s", "band_lo_hz", "band_hi_hz", "value")


@overload
def evaluate(
    references: References, estimates: Estimates, protocols: Protocols = "standard", /
) -> Scores: ...


@overload
def evaluate(references: References, estimates: Estimates, *, protocols: Protocols) -> Scores: ...


@overload
def evaluate(
    references: Mapping[str, ArrayLike] | ArrayLike,
    estimates: Mapping[str, ArrayLike] | ArrayLike,
    sample_rate: int,
    protocols: Protocols = "standard",
) -> Scores: ...


def evaluate(
    references: Any, estimates: Any, sample_rate: Any = None, protocols: Any = None
) -> Scores:
    """Score one model's estimates of a track by several protocols, with shared computations.

    Parameters
    ----------
    references
        Arrays of shape (channels, samples), or (samples,) for mono, by target: NumPy, PyTorch,
        TensorFlow or JAX; or one array for a single target. A `References` object, which already
        knows its sample rate, lets several models share what depends on the references only.
    estimates
        Arrays by target, or one array. Targets without an estimate get rows with the reason
        ``missing_estimate``. Estimates of another length are padded or cut, and marked.
    sample_rate
        In hertz; left out for `References`, where the third argument is `protocols`.
    protocols
        Names of protocols and groups joined by commas, or a sequence of names and protocols.

    Returns
    -------
    Scores
        Series by name of the protocol, with ``to_frame()``.

    Raises
    ------
    AudioError
        For arrays whose shapes do not agree, NaN or infinity.
    UnknownNameError
        For an unknown protocol, or an estimate without a reference.
    UsageError
        When the sample rate is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from benchbench import metrics
    >>> vocals = np.random.default_rng(0).standard_normal((2, 44100)) / 10
    >>> scores = metrics.evaluate({"vocals": vocals}, {"vocals": 0.9 * vocals}, 44100, "usdr,si")
    >>> scores.to_frame()[["metric", "value"]].round(1).values.tolist()[0]
    ['SDR', 20.0]
    """
    from benchbench.metrics.evaluation import Evaluation

    if not isinstance(references, References):
        if not isinstance(sample_rate, int | np.integer) or isinstance(sample_rate, bool):
            raise UsageError(
                "The sample rate is missing.",
                hint='metrics.evaluate(references, estimates, 44100, "usdr,si")',
            )
        references = References(
            _by_target(references, "reference"), int(sample_rate), cache_bytes=0
        )
    elif sample_rate is not None and protocols is None:
        protocols = sample_rate  # with References, protocols are the third argument
    wanted = _protocols("standard" if protocols is None else protocols)
    stems = _by_target(estimates, "estimate", references.names)
    evaluation: Any = Evaluation(references, stems, [one.name for one in wanted])
    return Scores({one.name: one.evaluate(references, evaluation) for one in wanted})


def _protocols(named: Protocols) -> list[Protocol]:
    found: dict[str, Protocol] = {}
    for one in [named] if isinstance(named, str) else named:
        for protocol in resolve([one]) if isinstance(one, str) else (one,):
            found.setdefault(protocol.name, protocol)
    return list(found.values())


def _by_target(stems: Any, role: str, names: Sequence[str] = (SINGLE,)) -> dict[str, Any]:
    if isinstance(stems, Mapping):
        return {name: as_audio(stem, f"{role} {name!r}") for name, stem in stems.items()}
    if len(names) != 1:
        raise AudioError(
            f"One array is given as {role}, but there are the targets {', '.join(names)}.",
            hint='Name it: {"vocals": array}.',
        )
    return {names[0]: as_audio(stems, role)}


def _columns(protocol: str, series: Series) -> dict[str, Any]:
    count = len(series.values)
    numbers = {name: getattr(series, name) for name in _NUMBERS[:-1]}
    return {
        "target": [series.target] * count,
        "protocol": [protocol] * count,
        "metric": [series.metric] * count,
        **{
            name: np.full(count, np.nan) if value is None else value
            for name, value in numbers.items()
        },
        "value": series.values,
        "reason": list(series.reasons),
    }
