"""Check that an adapter keeps the contract; used by the tests and by ``bench doctor``.

A real worker separates short signals on which separators often fail: silence, one sample, an
odd length, mono. Every check states the expected and the actual result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchbench.io.audio.audio_files import Audio
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.metrics.pairing.permutation import swapped
from benchbench.separation.separator import Limits, ModelSetup, SeparationResult, WorkerSeparator

__all__ = ["Check", "check_adapter"]

RATE = 44100


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the contract, whether it holds, and whether it could be checked."""

    name: str
    ok: bool
    detail: str = ""
    skipped: bool = False


def check_adapter(
    setup: ModelSetup, scratch: Path, example: Mapping[str, Audio]
) -> Iterator[Check]:
    """Separate test signals in a real worker and check the output.

    Parameters
    ----------
    setup
        The model, ready to be loaded.
    scratch
        An empty folder.
    example
        True stems of a piece of music, each (2, samples) at 44.1 kHz; their sum is separated to
        see whether stems carry the right names.

    Yields
    ------
    One check after another.
    """
    with WorkerSeparator(setup, Limits(base_s=300), scratch / "worker.log") as worker:
        bench = _Bench(worker, setup, scratch)
        for name, probe, rate in _probes(example):
            yield bench.shape(name, probe, rate)
        yield bench.read_only(example)
        if setup.model.manifest.deterministic:
            yield bench.same_twice(example)
        yield bench.labels(example)


def _probes(example: Mapping[str, Audio]) -> Iterator[tuple[str, dict[str, Audio], int]]:
    """Named sets of true stems: shortened, mixed down or muted."""
    short = {name: audio[:, : 2 * RATE] for name, audio in example.items()}
    yield "music, stereo", short, RATE
    yield "music, mono", {name: audio[:1] for name, audio in short.items()}, RATE
    yield "music at 48 kHz", short, 48000
    yield "an odd length", {name: audio[:, :30011] for name, audio in short.items()}, RATE
    yield "one sample", {name: audio[:, 9000:9001] for name, audio in short.items()}, RATE
    yield "silence", {name: np.zeros_like(audio) for name, audio in short.items()}, RATE
    loud = {name: np.clip(50 * audio, -1, 1) for name, audio in short.items()}
    yield "full-scale clipping", loud, RATE


@dataclass(frozen=True, slots=True)
class _Bench:
    worker: WorkerSeparator
    setup: ModelSetup
    scratch: Path
    faults: dict[str, str] = field(default_factory=dict)
    """Each fault, and the check that found it first."""

    def shape(self, name: str, stems: Mapping[str, Audio], rate: int) -> Check:
        """Declared stems, finite, of the mixture's channels and length (the worker checks names)."""
        outcome, mixture = self.separate(stems, rate)
        if outcome.status != "ok":
            return self._fault(name, outcome)
        lengths = {stem: raw.samples for stem, raw in outcome.stems.items()}
        wrong = {stem: n for stem, n in lengths.items() if n != mixture.samples}
        return Check(
            name, not wrong, f"{mixture.samples} samples; wrong lengths: {wrong or 'none'}"
        )

    def read_only(self, stems: Mapping[str, Audio]) -> Check:
        """The mixture's file is the same after the separation."""
        name, before = "does not change its input", _sum(stems)
        outcome, mixture = self.separate(stems, RATE)
        if outcome.status != "ok":
            return self._fault(name, outcome)
        return Check(name, np.array_equal(np.asarray(mixture.open()), before))

    def same_twice(self, stems: Mapping[str, Audio]) -> Check:
        """Two separations of one mixture are equal, as the manifest promises."""
        name, outputs = "the same twice", []
        for _ in range(2):
            outcome, _mixture = self.separate(stems, RATE)
            if outcome.status != "ok":
                return self._fault(name, outcome)
            outputs.append(_audio(outcome))
        first, second = outputs
        largest = max(
            float(np.abs(second[stem] - audio).max(initial=0)) for stem, audio in first.items()
        )
        return Check(name, largest == 0, f"largest difference {largest:.1e}")

    def labels(self, stems: Mapping[str, Audio]) -> Check:
        """No other assignment of names fits the stems clearly better.

        Vocals are panned to the centre and the rest to the sides, as in most productions, so that
        separators that use direction can work. A separator whose stems are all the same (the
        mixture, silence) has no labels to swap.
        """
        check = "stems carry the right names"
        stems = {name: _placed(name, audio) for name, audio in stems.items()}
        outcome, _ = self.separate(stems, RATE)
        if outcome.status != "ok":
            return self._fault(check, outcome)
        found = _audio(outcome)
        true = dict(stems)
        if "accompaniment" in found and "accompaniment" not in true:
            vocals = true.pop("vocals")
            true = {"vocals": vocals, "accompaniment": _sum(true)}
        changed = swapped(found, true)
        return Check(check, not changed, "; ".join(changed))

    def _fault(self, name: str, outcome: SeparationResult) -> Check:
        """A failed separation: reported in full the first time, with the adapter's output."""
        error = f"{outcome.status}: {outcome.error}"
        if error in self.faults:
            return Check(name, False, f"not checked: {self.faults[error]!r} failed", skipped=True)
        self.faults[error] = name
        parts = [error]
        if outcome.log_tail:
            parts += ["The adapter's output:", outcome.log_tail]
        if "ModuleNotFoundError" in error:
            parts.append("Name the package under [runtime] requirements of adapter.toml.")
        return Check(name, False, "\n".join(parts))

    def separate(self, stems: Mapping[str, Audio], rate: int) -> tuple[SeparationResult, RawAudio]:
        mixture = write_raw(self.scratch / "mixture.f32", [_sum(stems)])
        references = None
        if self.setup.model.manifest.oracle:
            references = {
                name: write_raw(self.scratch / f"reference-{number}.f32", [audio])
                for number, (name, audio) in enumerate(stems.items())
            }
        return self.worker.separate(mixture, rate, self.scratch, references), mixture


def _audio(outcome: SeparationResult) -> dict[str, Audio]:
    return {stem: np.array(raw.open()) for stem, raw in outcome.stems.items()}


def _placed(name: str, audio: Audio) -> Audio:
    """A stereo stem panned to the centre (vocals), or to the left or right (any other)."""
    if name == "vocals":
        return np.repeat(audio.mean(axis=0, keepdims=True, dtype=np.float32), len(audio), axis=0)
    gains = (1.0, 0.2) if len(name) % 2 else (0.2, 1.0)
    return audio * np.array(gains[: len(audio)], np.float32)[:, None]


def _sum(stems: Mapping[str, Audio]) -> Audio:
    total: Audio = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    return total
