"""Speech whose phones are known: sentences that the program flite speaks, with its own timing.

``flite -psdur`` prints every phone and the second at which it ends.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from ..augmentation import RATE

PHONES = [
    "pau",
    "aa",
    "ae",
    "ah",
    "ao",
    "aw",
    "ax",
    "ay",
    "b",
    "ch",
    "d",
    "dh",
    "eh",
    "er",
    "ey",
    "f",
    "g",
    "hh",
    "ih",
    "iy",
    "jh",
    "k",
    "l",
    "m",
    "n",
    "ng",
    "ow",
    "oy",
    "p",
    "r",
    "s",
    "sh",
    "t",
    "th",
    "uh",
    "uw",
    "v",
    "w",
    "y",
    "z",
    "zh",
]
"""What flite's English voices speak; the first is silence."""
VOICES = ("rms", "awb")
"""Voices of flite that no validation or test song of the data set `rendered` has."""
_WORDS = [
    "fire",
    "water",
    "golden",
    "measure",
    "voyage",
    "thing",
    "brother",
    "church",
    "judge",
    "shout",
    "yellow",
    "window",
    "morning",
    "bird",
    "light",
    "paper",
    "zero",
    "visit",
    "cold",
    "father",
    "about",
    "music",
    "good",
    "book",
    "moon",
    "enjoy",
    "loud",
    "thousand",
    "hang",
    "over",
    "never",
    "fashion",
    "young",
    "wish",
    "garden",
    "child",
    "power",
    "very",
    "peace",
    "tomorrow",
    "vision",
    "day",
    "close",
    "rather",
    "push",
]
VAD_RATE, VAD_STEP, VAD_CONTEXT = 16_000, 512, 64
"""Hertz, samples of a step, and samples before it that silero-vad sees."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A spoken sentence.

    Parameters
    ----------
    samples
        float32 (samples,) at 44.1 kHz.
    phones
        int32 (phones,): places in `PHONES`.
    ends
        float64 (phones,): seconds at which they end.
    """

    samples: npt.NDArray[np.float32]
    phones: npt.NDArray[np.int32]
    ends: npt.NDArray[np.float64]

    def phone_at(self, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """The phone that sounds at each moment; before and after the sentence, silence."""
        place = np.searchsorted(self.ends, seconds, side="right")
        spoken = (seconds >= 0.0) & (place < self.phones.size)
        found: npt.NDArray[np.int32] = np.where(
            spoken, self.phones[np.minimum(place, self.phones.size - 1)], 0
        ).astype(np.int32)
        return found


def utterances(count: int, rng: np.random.Generator) -> list[Utterance]:
    """So many sentences of words drawn by chance.

    Raises
    ------
    ValueError
        flite is not installed, or fails.
    """
    if shutil.which("flite") is None:
        raise ValueError("Phones need the program flite, which speaks them (Debian: flite).")
    with tempfile.TemporaryDirectory(prefix="benchbench-speech-") as scratch:
        path = Path(scratch) / "spoken.wav"
        return [
            _spoken(VOICES[index % len(VOICES)], _sentence(rng), path) for index in range(count)
        ]


def _sentence(rng: np.random.Generator) -> str:
    return " ".join(_WORDS[int(rng.integers(len(_WORDS)))] for _ in range(8))


def _spoken(voice: str, text: str, path: Path) -> Utterance:
    command = ["flite", "-voice", voice, "-t", text, "-psdur", "-o", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not path.is_file():
        raise ValueError(f"flite failed ({done.returncode}): {done.stderr[-300:]}")
    pairs = [entry.rpartition(":") for entry in done.stdout.split()]
    known = [(PHONES.index(name), float(end)) for name, _, end in pairs if name in PHONES]
    read, rate = soundfile.read(path, dtype="float32")
    samples = soxr.resample(read, rate, RATE).astype(np.float32)
    return Utterance(
        samples,
        np.array([phone for phone, _ in known], np.int32),
        np.array([end for _, end in known]),
    )


class VoiceActivity:
    """The probability that somebody speaks, by silero-vad (MIT), whose weights lie in its wheel.

    Raises
    ------
    ValueError
        The package silero-vad is not installed. Only its file of weights is used, so that its own
        requirements may be left out.
    """

    def __init__(self) -> None:
        import onnxruntime

        found = importlib.util.find_spec("silero_vad")
        if found is None or found.origin is None:
            raise ValueError(
                "Voicing needs the weights of silero-vad: pip install --no-deps silero-vad"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        path = Path(found.origin).parent / "data" / "silero_vad_16k_sequence.onnx"
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """float32 (samples,) at 44.1 kHz to one probability for every `VAD_STEP` at 16 kHz."""
        heard = soxr.resample(samples, RATE, VAD_RATE).astype(np.float32)
        steps = -(-heard.size // VAD_STEP)
        padded = np.pad(heard, (VAD_CONTEXT, steps * VAD_STEP - heard.size))
        windows = np.lib.stride_tricks.sliding_window_view(padded, VAD_STEP + VAD_CONTEXT)
        state = np.zeros((1, 1, 128), np.float32)
        given = {"input": np.ascontiguousarray(windows[::VAD_STEP]), "h": state, "c": state}
        probabilities: npt.NDArray[np.float32] = self._session.run(["speech_probs"], given)[0]
        return probabilities

    def voiced_at(
        self, utterance: Utterance, seconds: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int32]:
        """1 where somebody speaks at a moment of an utterance, by more than half; else 0."""
        probabilities = self.probabilities(utterance.samples)
        place = np.floor(seconds * VAD_RATE / VAD_STEP).astype(int)
        inside = (place >= 0) & (place < probabilities.size)
        likely = probabilities[np.clip(place, 0, probabilities.size - 1)] > 0.5
        voiced: npt.NDArray[np.int32] = (inside & likely).astype(np.int32)
        return voiced
