"""Symptoms of separation errors, computed without references.

Each number is a symptom, not a measure of quality: a separator that returns an equal share of the
mixture as every stem is consistent, unclipped and has full bandwidth. docs/metrics.md shows how far
each number follows SI-SDR where references exist.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import fft

from benchbench.errors import AudioError
from benchbench.metrics.base import ALL_TARGETS, Series
from benchbench.metrics.evaluation import Evaluation

__all__ = ["agreement_series", "evaluate", "reference_free"]

Audio = npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]

_WINDOW = 4096
_SILENT_DB = -60.0
_ROLL_OFF = 0.9999
_CLIPPED = 0.9999
_JUMP = 12.0


def evaluate(evaluation: Evaluation) -> list[Series]:
    """The symptoms of one model's estimates; of the references only the mixture is used.

    ``consistency`` has no value where a target has no estimate. ``agreement`` needs a second
    separator and is not computed here.
    """
    references = evaluation.references
    samples = references.samples
    total = references.mixture
    mixture = (
        references.block(0, samples).sum(axis=0) if total is None else total.stem(0, 0, samples)
    )
    stems = {
        target: evaluation.estimates.stem(place, 0, samples)
        for place, target in enumerate(evaluation.targets)
    }
    if not stems:
        return []
    series = reference_free(mixture, stems, references.sample_rate)
    if not evaluation.missing:
        return series
    absent = _series(ALL_TARGETS, "consistency", None, "missing_estimate")
    return [absent if each.metric == "consistency" else each for each in series]


def reference_free(
    mixture: Audio,
    stems: Mapping[str, Audio],
    sample_rate: int,
    against: Mapping[str, Audio] | None = None,
) -> list[Series]:
    """Symptoms of the stems of one song.

    Parameters
    ----------
    mixture
        Shape (channels, samples).
    stems
        Estimates of the same shape.
    sample_rate
        In hertz.
    against
        Another separator's stems, for ``agreement``: the SI-SDR of one against the other.

    Returns
    -------
    list of Series
        One value per stem, and ``consistency`` for all of them together.

    Raises
    ------
    AudioError
        When a stem has another shape than the mixture.
    """
    for name, audio in stems.items():
        if audio.shape != mixture.shape:
            raise AudioError(
                f"The stem {name} has the shape {audio.shape}, the mixture {mixture.shape}.",
                hint="Both need the same channels, rate and length.",
            )
    rest = np.asarray(mixture, np.float64) - np.sum(list(stems.values()), axis=0)
    series = [_series(ALL_TARGETS, "consistency", _decibels(_energy(mixture), _energy(rest)))]
    if not mixture.any():
        return [_series(ALL_TARGETS, "consistency", None, "silent_mixture")]
    spectra = {name: _band_spectra(audio, sample_rate) for name, audio in stems.items()}
    for name, audio in stems.items():
        others = [other for key, other in spectra.items() if key != name]
        values = {
            "correlation": _correlation(spectra[name], others) if others else None,
            "bandwidth": _bandwidth(audio, sample_rate),
            "clicks": _clicks(audio, mixture, sample_rate),
            "clipping": float((np.abs(audio) >= _CLIPPED).mean()),
            "silence": _silence(audio, mixture, sample_rate),
        }
        for metric, value in values.items():
            missing = "single_source" if metric == "correlation" else "silent_estimate"
            series.append(_series(name, metric, value, missing))
    return series + agreement_series(stems, against or {})


def agreement_series(stems: Mapping[str, Audio], against: Mapping[str, Audio]) -> list[Series]:
    """The SI-SDR of each stem against another estimate of it, in dB, for stems that have one."""
    return [
        _series(name, "agreement", _agreement(audio, against[name]), "silent_estimate")
        for name, audio in stems.items()
        if name in against
    ]


def _series(target: str, metric: str, value: float | None, reason: str | None = None) -> Series:
    reasons = np.array([reason if value is None else None], dtype=object)
    return Series(target, metric, np.array([np.nan if value is None else value]), reasons)


def _energy(audio: Audio) -> float:
    flat = np.asarray(audio, np.float64).ravel()
    return float(flat @ flat)


def _decibels(signal: float, noise: float) -> float:
    return float(np.clip(10.0 * np.log10(max(signal, 1e-30) / max(noise, 1e-30)), -300.0, 300.0))


def _band_spectra(audio: Audio, rate: int) -> list[Float64]:
    """Magnitudes of the channels' mean in octaves from 62.5 Hz: one (bins * frames,) per octave."""
    mono = np.asarray(audio, np.float64).mean(axis=0)
    padded = np.pad(mono, (0, max(0, _WINDOW - len(mono))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[:: _WINDOW // 2]
    magnitudes = np.abs(fft.rfft(frames * np.hanning(_WINDOW), axis=1))
    bins = np.fft.rfftfreq(_WINDOW, 1.0 / rate)
    edges = [62.5 * 2**n for n in range(9) if 62.5 * 2**n < rate / 2]
    return [magnitudes[:, (bins >= low) & (bins < 2 * low)].ravel() for low in edges]


def _correlation(own: list[Float64], others: list[list[Float64]]) -> float | None:
    """Correlation of spectrograms, mean over octaves, with the most similar other stem."""
    found = [
        float(np.mean([_coefficient(a, b) for a, b in zip(own, other, strict=True)]))
        for other in others
    ]
    return float(np.clip(max(found), 0.0, 1.0))


def _coefficient(first: Float64, second: Float64) -> float:
    a, b = first - first.mean(), second - second.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else 0.0


def _bandwidth(audio: Audio, rate: int) -> float | None:
    """The frequency below which 99.99% of the energy lies."""
    if not audio.any():
        return None
    power = np.zeros(_WINDOW // 2 + 1)
    for channel in np.asarray(audio, np.float64):
        padded = np.pad(channel, (0, max(0, _WINDOW - len(channel))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[:: _WINDOW // 2]
        power += (np.abs(fft.rfft(frames * np.hanning(_WINDOW), axis=1)) ** 2).sum(axis=0)
    share = np.cumsum(power) / power.sum()
    return float(np.searchsorted(share, _ROLL_OFF) * rate / _WINDOW)


def _clicks(audio: Audio, mixture: Audio, rate: int) -> float:
    """Jumps per second that are in the stem but not in the mixture.

    A jump is a second difference more than twelve times the root mean square of those within 5 ms
    around it; chunks that are joined without a fade cause jumps at their borders.
    """
    own, theirs = (_jumps(np.asarray(a, np.float64).mean(axis=0), rate) for a in (audio, mixture))
    return float((own & ~theirs).sum() * rate / max(1, audio.shape[1]))


def _jumps(mono: Float64, rate: int) -> npt.NDArray[np.bool_]:
    if len(mono) < 8:
        return np.zeros(len(mono), dtype=bool)
    second = np.abs(np.diff(mono, 2, prepend=mono[0], append=mono[-1]))
    reach = max(2, round(0.005 * rate))
    squares = np.concatenate([[0.0], np.cumsum(second**2)])
    places = np.arange(len(second))
    low, high = np.maximum(0, places - reach), np.minimum(len(second), places + reach + 1)
    around = np.maximum(squares[high] - squares[low] - second**2, 0.0) / np.maximum(
        1, high - low - 1
    )
    return np.asarray(second > _JUMP * np.sqrt(around) + 1e-4)


def _silence(audio: Audio, mixture: Audio, rate: int) -> float:
    """The share of seconds in which the stem is silent, of those in which the mixture is not."""
    levels = []
    for signal in (audio, mixture):
        squares = (np.asarray(signal, np.float64) ** 2).sum(axis=0)
        edges = np.arange(0, max(1, len(squares)), rate)
        levels.append(np.add.reduceat(squares, edges))
    sounding = levels[1] > levels[1].max() * 10.0 ** (_SILENT_DB / 10.0)
    quiet = levels[0] < levels[1].max() * 10.0 ** (_SILENT_DB / 10.0)
    return float((quiet & sounding).sum() / max(1, sounding.sum()))


def _agreement(first: Audio, second: Audio) -> float | None:
    """SI-SDR of one estimate of a stem against another estimate of it."""
    samples = min(first.shape[1], second.shape[1])
    a, b = (np.asarray(x[:, :samples], np.float64).ravel() for x in (first, second))
    if not a.any() or not b.any():
        return None
    scaled = (a @ b) / (b @ b) * b
    return _decibels(_energy(scaled), _energy(a - scaled))
