"""Test-time augmentation: separate altered copies of a mixture, undo the changes, average.

``spleeter[augment=polarity+swap+shift]`` works for every adapter that separates. The copies:

- ``polarity``: the mixture times -1
- ``swap``: left and right exchanged
- ``shift``: two copies delayed by 1/6 and 1/3 of a second, which changes the positions of frames
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchbench.datasets.dataset import Track
from benchbench.errors import UnknownNameError
from benchbench.io.audio.decoding import BLOCK, Audio
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.separation.separator import Limits, ModelSetup, SeparationResult, WorkerSeparator

__all__ = ["AUGMENTATIONS", "AugmentedSeparator"]

DELAYS_S = (1 / 6, 1 / 3)


@dataclass(frozen=True, slots=True)
class _Change:
    """The change that makes a copy of the mixture."""

    sign: float = 1.0
    swap: bool = False
    delay_s: float = 0.0


AUGMENTATIONS = {
    "polarity": (_Change(sign=-1.0),),
    "swap": (_Change(swap=True),),
    "shift": tuple(_Change(delay_s=delay) for delay in DELAYS_S),
}


class AugmentedSeparator(WorkerSeparator):
    """Separates several altered copies of each mixture.

    Parameters
    ----------
    setup, limits, log
        As for `WorkerSeparator`; the setup's option ``augment`` joins the names by "+".

    Raises
    ------
    UnknownNameError
        For an augmentation that does not exist.
    """

    def __init__(self, setup: ModelSetup, limits: Limits, log: Path) -> None:
        super().__init__(setup, limits, log)
        self.changes = [_Change()]
        for name in str(setup.engine_options["augment"]).split("+"):
            if name not in AUGMENTATIONS:
                raise UnknownNameError("augmentation", name, AUGMENTATIONS)
            self.changes += AUGMENTATIONS[name]

    def separate(
        self,
        mixture: RawAudio,
        sample_rate: int,
        out: Path,
        references: Mapping[str, RawAudio] | None = None,
        *,
        track: Track | None = None,
    ) -> SeparationResult:
        """The mean of the stems over the copies; the time is the sum over all copies."""
        changes = [one for one in self.changes if mixture.channels == 2 or not one.swap]
        results: list[SeparationResult] = []
        totals: dict[str, RawAudio] = {}
        for number, change in enumerate(changes):
            folder = out / f"copy-{number}"
            folder.mkdir()
            delay = round(change.delay_s * sample_rate)
            changed = write_raw(folder / "mixture.f32", _changed(mixture, change, delay))
            true = {
                name: write_raw(folder / f"reference-{place}.f32", _changed(raw, change, delay))
                for place, (name, raw) in enumerate((references or {}).items())
            }
            result = super().separate(
                changed, sample_rate, folder, true if references else None, track=track
            )
            if result.status != "ok":
                return result
            results.append(result)
            for place, (stem, raw) in enumerate(result.stems.items()):
                part = _restored(raw, change, delay, 1 / len(changes))
                target = out / f"mean-{place}.f32"
                if stem in totals:
                    _add(totals[stem], part)
                else:
                    totals[stem] = write_raw(target, part)
        return _together(results, totals)


def _together(results: list[SeparationResult], stems: Mapping[str, RawAudio]) -> SeparationResult:
    def most(name: str) -> int | None:
        values = [getattr(result, name) for result in results]
        return max((value for value in values if value is not None), default=None)

    return replace(
        results[0],
        stems=stems,
        wall_s=sum(result.wall_s or 0.0 for result in results),
        peak_rss=most("peak_rss"),
        peak_held=most("peak_held"),
    )


def _changed(raw: RawAudio, change: _Change, delay: int) -> Iterator[Audio]:
    audio = raw.open()
    if delay:
        yield np.zeros((raw.channels, delay), np.float32)
    for start in range(0, raw.samples, BLOCK):
        block = audio[:, start : start + BLOCK]
        yield np.float32(change.sign) * (block[::-1] if change.swap else block)


def _restored(raw: RawAudio, change: _Change, delay: int, share: float) -> Iterator[Audio]:
    """A stem of a copy with the change undone, multiplied by its weight in the mean."""
    audio = raw.open()[:, delay:]
    for start in range(0, audio.shape[1], BLOCK):
        block = audio[:, start : start + BLOCK]
        yield np.float32(change.sign * share) * (block[::-1] if change.swap else block)


def _add(total: RawAudio, blocks: Iterator[Audio]) -> None:
    """Add blocks to a raw file, up to the shorter of the two lengths."""
    held = np.memmap(total.file, np.float32, "r+", shape=(total.samples, total.channels))
    start = 0
    for block in blocks:
        stop = min(start + block.shape[1], total.samples)
        held[start:stop] += block.T[: stop - start]
        start = stop
    held.flush()
