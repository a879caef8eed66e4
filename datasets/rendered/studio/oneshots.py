"""One-shot drum sounds: recordings of Debian packages, and two synthesised drum machines."""

import functools
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from scipy.signal import butter, sosfilt

from . import materials

__all__ = ["ROLES", "Kit", "kits", "recorded", "synthesized"]

Signal = npt.NDArray[np.float64]
Kit = dict[str, list[Signal]]
"""For each role some sounds, float64 (2, samples), the loudest sample of each at 1."""

SAMPLE_RATE = 44100
LONGEST_S = 2.0
ROLES = {
    "kick": r"kick|bass.?drum|^bd|_bd_|_k_\d|^bd\d",
    "snare": r"snare|^sn[_\d]|_sn_|^sn1",
    "clap": r"clap|snap",
    "hat": r"closed|closehi|chh|hat_cl|hatclosed|^hh|_hh_|pedal",
    "open": r"open|ohh|hat_op",
    "tom": r"tom",
    "crash": r"crash|ride|cymbal|splash|china",
}
"""What a file's name says about its drum; the first that fits counts, an opened hat before a hat."""
_ORDER = ("open", "clap", "kick", "snare", "hat", "tom", "crash")
_NEEDED = ("kick", "snare", "hat")
_MOST = 6


def kits() -> list[Path]:
    """Return the folders that hold at least a kick, a snare and a hat."""
    folders = [p for p in sorted(materials.drum_samples().iterdir()) if p.is_dir()]
    folders.append(materials.loops())
    return [folder for folder in folders if all(_files(folder).get(role) for role in _NEEDED)]


@functools.cache
def _files(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {role: [] for role in ROLES}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".wav", ".flac", ".aiff", ".ogg"):
            continue
        name = path.stem.lower()
        role = next((r for r in _ORDER if re.search(ROLES[r], name)), None)
        if role is not None:
            found[role].append(path)
    return found


def recorded(folder: Path, random: np.random.Generator) -> Kit:
    """Return some sounds of a folder for every role that it has."""
    kit: Kit = {}
    for role, paths in _files(folder).items():
        picked = [paths[int(i)] for i in random.permutation(len(paths))[:_MOST]]
        sounds = [sound for path in picked if (sound := _read(path)) is not None]
        if sounds:
            kit[role] = sounds
    return kit


@functools.lru_cache(maxsize=256)
def _read(path: Path) -> Signal | None:
    read, rate = soundfile.read(path, dtype="float64", always_2d=True)
    read = read[: round(LONGEST_S * rate), :2]
    if rate != SAMPLE_RATE:
        read = soxr.resample(read, rate, SAMPLE_RATE)
    sound = np.ascontiguousarray(np.broadcast_to(read.T, (2, read.shape[0])))
    top = float(np.abs(sound).max(initial=0.0))
    if sound.shape[1] < 200 or top < 1e-3:
        return None
    fade = min(400, sound.shape[1])
    sound[:, -fade:] *= np.linspace(1.0, 0.0, fade)
    return sound / top


def synthesized(random: np.random.Generator) -> Kit:
    """Return a drum machine's sounds: kicks whose pitch falls, noises for the rest."""
    return {
        "kick": [_kick(random)],
        "snare": [_snare(random)],
        "clap": [_clap(random)],
        "hat": [_hat(random, float(random.uniform(0.03, 0.09)))],
        "open": [_hat(random, float(random.uniform(0.2, 0.5)))],
        "tom": [_kick(random, float(random.uniform(90.0, 160.0)))],
        "crash": [_hat(random, float(random.uniform(0.8, 1.6)))],
    }


def _clock(seconds: float) -> Signal:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _both(mono: Signal) -> Signal:
    return np.repeat((mono / (np.abs(mono).max() + 1e-12))[np.newaxis], 2, axis=0)


def _kick(random: np.random.Generator, end: float | None = None) -> Signal:
    """Return a sine that falls from some hundred Hz to between 42 and 65 Hz."""
    decay = float(random.choice([0.12, 0.2, 0.35, 0.7])) * float(random.uniform(0.8, 1.2))
    time = _clock(min(4.0 * decay, LONGEST_S))
    end = end or float(random.uniform(42.0, 65.0))
    rise, fall = float(random.uniform(60.0, 400.0)), float(random.uniform(0.01, 0.04))
    phase = np.cumsum(end + rise * np.exp(-time / fall)) / SAMPLE_RATE
    body = np.sin(2.0 * np.pi * phase) * np.exp(-time / decay)
    body = np.tanh(float(random.uniform(1.0, 4.0)) * body)
    click = random.standard_normal(time.size) * np.exp(-time / 0.003)
    return _both(body + float(random.uniform(0.0, 0.3)) * click)


def _snare(random: np.random.Generator) -> Signal:
    time = _clock(0.4)
    pitch = float(random.uniform(160.0, 240.0))
    body = sum(np.sin(2.0 * np.pi * pitch * m * time) for m in (1.0, 1.6)) * np.exp(-time / 0.06)
    noise = _high(random.standard_normal(time.size), float(random.uniform(800.0, 2500.0)))
    noise *= np.exp(-time / float(random.uniform(0.06, 0.16)))
    return _both(float(random.uniform(0.2, 0.8)) * body + noise)


def _clap(random: np.random.Generator) -> Signal:
    time = _clock(0.4)
    level = sum(
        np.exp(-np.maximum(time - s, 0.0) / 0.008) * (time >= s) for s in (0.0, 0.011, 0.022)
    )
    level = level + 0.8 * np.exp(-time / float(random.uniform(0.05, 0.15)))
    noise = _high(random.standard_normal((2, time.size)), float(random.uniform(700.0, 1300.0)))
    clap = np.asarray(noise * level)
    return np.asarray(clap / np.abs(clap).max())


def _hat(random: np.random.Generator, decay: float) -> Signal:
    """Return the noise of six square waves out of tune and of air, above some kHz."""
    time = _clock(min(5.0 * decay, LONGEST_S))
    tones = (263.0, 400.0, 421.0, 474.0, 587.0, 845.0)
    scale = float(random.uniform(0.9, 1.4))
    metal = sum(np.sign(np.sin(2.0 * np.pi * scale * tone * time)) for tone in tones) / 6.0
    mixed = metal + float(random.uniform(0.3, 1.5)) * random.standard_normal(time.size)
    return _both(_high(mixed, float(random.uniform(5000.0, 8000.0))) * np.exp(-time / decay))


def _high(sound: Signal, frequency: float) -> Signal:
    """High-pass at a frequency."""
    return np.asarray(sosfilt(butter(2, frequency, "high", fs=SAMPLE_RATE, output="sos"), sound))
