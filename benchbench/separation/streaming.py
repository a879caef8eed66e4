"""Measure a live separator: its delay, its time per block, and its output.

The engine feeds ``stream()`` with blocks as a sound card would, but without waiting. The delay is
measured in two ways that do not use the delay that the adapter declares: clicks in the input are
located in the output, and the complete output is correlated with the input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import signal

from benchbench.io.audio.audio_files import Audio
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.separation.separator import WorkerSeparator
from benchbench.separation.workers.worker_answers import Streamed

__all__ = ["BLOCKS_S", "LiveMeasurement", "measure_live"]

Floats = npt.NDArray[np.float64]

BLOCKS_S = (0.005, 0.01, 0.02, 0.05, 0.1)
"""Lengths of blocks, in seconds."""

CLICKS = 8
CLICK_SPACING_S = 0.25
CLICK_LEVEL = 0.5
HEARD = 0.01
"""A click counts as detected if the output has this share of its level."""

LONGEST_SHIFT_S = 1.0


@dataclass(frozen=True, slots=True)
class LiveMeasurement:
    """How a live separator behaves with blocks of one length.

    Parameters
    ----------
    block_s
        The length of a block in seconds.
    blocks
        Number of timed blocks.
    delay_impulse_s, delay_correlation_s
        Seconds from the moment when a sound enters to the earliest moment when it can be played
        without later gaps; the time to fill a block is included, the time to compute it is not.
        The shift of the output is measured by clicks, or by correlation with the input. None: the
        input was not recognised in the output.
    p50_s, p95_s, p99_s
        Percentiles of the computing time per block, in seconds.
    late_share
        Share of the blocks whose computing time exceeds their duration.
    offline_difference_db
        Energy of streamed minus offline stems, relative to the offline stems, of the worst stem;
        None: they are identical.
    """

    block_s: float
    blocks: int
    delay_impulse_s: float | None
    delay_correlation_s: float | None
    p50_s: float
    p95_s: float
    p99_s: float
    late_share: float
    offline_difference_db: float | None


@dataclass(frozen=True, slots=True)
class _Streamed:
    """The output of one stream: stems, the time of each block, input samples at each output."""

    stems: Mapping[str, Audio]
    seconds: Floats
    given: npt.NDArray[np.int64]
    emitted: npt.NDArray[np.int64]

    @property
    def total(self) -> Floats:
        """The sum of stems and channels, which a mask-based separator does not change."""
        shortest = min(stem.shape[1] for stem in self.stems.values())
        parts = [stem[:, :shortest].mean(axis=0, dtype=np.float64) for stem in self.stems.values()]
        return np.asarray(np.sum(parts, axis=0))

    def start(self, samples: int) -> int | None:
        """Number of input samples before playback can start without later gaps.

        Parameters
        ----------
        samples
            The length of the input; output after its end could not have been live.
        """
        before = np.cumsum(self.emitted) - self.emitted
        live = (self.given < samples) & (self.emitted > 0)
        return int((self.given - before)[live].max()) if live.any() else None


def measure_live(
    worker: WorkerSeparator,
    mixture: RawAudio,
    sample_rate: int,
    folder: Path,
    blocks_s: Sequence[float] = BLOCKS_S,
) -> list[LiveMeasurement]:
    """Measure a live model with blocks of several lengths.

    Parameters
    ----------
    worker
        Separates with the model.
    mixture
        Music at the model's sampling rate and with its channels.
    sample_rate
        In hertz.
    folder
        An existing folder for raw audio.
    blocks_s
        Lengths of blocks in seconds.

    Raises
    ------
    WorkerFailureError
        If the model cannot stream.
    """
    offline = _offline(worker, mixture, sample_rate, folder)
    clicks, places = _clicks(mixture.channels, sample_rate)
    impulses = write_raw(folder / "clicks.f32", [clicks])
    found = []
    for block_s in blocks_s:
        size = max(1, round(block_s * sample_rate))
        heard = _stream(worker, impulses, sample_rate, size, folder)
        click_shift = _click_shift(heard, places, sample_rate)
        music = _stream(worker, mixture, sample_rate, size, folder)
        shift = _shift(music.total, mixture.open().mean(axis=0, dtype=np.float64), sample_rate)
        p50, p95, p99 = (float(value) for value in np.percentile(music.seconds, (50, 95, 99)))
        found.append(
            LiveMeasurement(
                block_s=size / sample_rate,
                blocks=len(music.seconds),
                delay_impulse_s=_delay_s(heard, click_shift, impulses.samples, sample_rate),
                delay_correlation_s=_delay_s(music, shift, mixture.samples, sample_rate),
                p50_s=p50,
                p95_s=p95,
                p99_s=p99,
                late_share=float(np.mean(music.seconds > size / sample_rate)),
                offline_difference_db=_difference_db(music.stems, offline, shift or 0),
            )
        )
    return found


def _offline(
    worker: WorkerSeparator, mixture: RawAudio, rate: int, folder: Path
) -> dict[str, Audio]:
    place = folder / "offline"
    place.mkdir(exist_ok=True)
    result = worker.separate(mixture, rate, place)
    return {stem: raw.open() for stem, raw in result.stems.items()}


def _stream(
    worker: WorkerSeparator, mixture: RawAudio, rate: int, size: int, folder: Path
) -> _Streamed:
    request = {
        "do": "stream",
        "mixture": mixture.describe(),
        "sample_rate": rate,
        "block": size,
        "out": str(folder),
    }
    blocks = -(-mixture.samples // size)
    answer = worker.ask(request, worker.limits.separation_s(mixture.samples / rate) + blocks)
    assert isinstance(answer, Streamed)
    files = worker.stem_files(answer, folder, mixture.channels)
    outputs = np.asarray(answer.outputs, np.int64).reshape(-1, 2)
    stems = {stem: np.array(raw.open()) for stem, raw in files.items()}
    return _Streamed(stems, np.asarray(answer.seconds), outputs[:, 0], outputs[:, 1])


def _clicks(channels: int, rate: int) -> tuple[Audio, list[int]]:
    """Clicks in silence, at positions that are no multiples of one another."""
    spacing = round(CLICK_SPACING_S * rate)
    audio = np.zeros((channels, (CLICKS + 4) * spacing), np.float32)
    places = [(number + 2) * spacing + 37 * number for number in range(CLICKS)]
    audio[:, places] = CLICK_LEVEL
    return audio, places


def _click_shift(heard: _Streamed, places: Sequence[int], rate: int) -> int | None:
    """Delay of the clicks in samples; None: no click in the output."""
    total, half = np.abs(heard.total), round(CLICK_SPACING_S * rate) // 2
    shifts = []
    for place in places:
        around = total[place - half : place + half]
        if around.size and around.max() >= HEARD * CLICK_LEVEL:
            shifts.append(int(around.argmax()) - half)
    return int(np.median(shifts)) if shifts else None


def _shift(streamed: Floats, mixture: Floats, rate: int) -> int | None:
    """Delay of the output in samples, by correlation; None: it does not resemble the input."""
    correlation = signal.correlate(streamed, mixture, mode="full", method="fft")
    lags = signal.correlation_lags(len(streamed), len(mixture))
    near = np.abs(lags) <= round(LONGEST_SHIFT_S * rate)
    if not np.any(streamed) or not np.any(mixture):
        return None
    return int(lags[near][np.argmax(correlation[near])])


def _delay_s(streamed: _Streamed, shift: int | None, samples: int, rate: int) -> float | None:
    """Seconds from input of a sound to its earliest playback: samples held back plus the shift."""
    start = streamed.start(samples)
    return None if shift is None or start is None else (start + shift) / rate


def _difference_db(
    streamed: Mapping[str, Audio], offline: Mapping[str, Audio], shift: int
) -> float | None:
    worst = None
    for stem, whole in offline.items():
        late = streamed[stem][:, max(shift, 0) :]
        length = min(late.shape[1], whole.shape[1])
        error = float(np.square(late[:, :length] - whole[:, :length], dtype=np.float64).sum())
        energy = float(np.square(whole[:, :length], dtype=np.float64).sum())
        if error > 0.0:
            level = 10 * np.log10(error / max(energy, 1e-12))
            worst = level if worst is None else max(worst, level)
    return None if worst is None else float(worst)
