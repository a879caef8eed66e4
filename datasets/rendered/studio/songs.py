"""One song from its order to stems of 16-bit samples: four, or over released music two.

Only songs with soundfonts or with speech need the packages of `materials`, so
their modules are imported where they are used.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from . import arrangement, desk, tunes
from .generator import songmaker
from .plan import SEED, Order
from .released import ACCOMPANIMENT, play_released

__all__ = ["coded", "in_room", "recorded_formant", "render"]

Signal = npt.NDArray[np.float64]
singing: Any = songmaker("singing")
score: Any = songmaker("score")


def render(order: Order) -> dict[str, npt.NDArray[np.int16]]:
    """Return a song's stems, each int16 (2, samples).

    They are drums, bass, other and vocals, or over released music accompaniment and vocals.
    """
    random = np.random.Generator(np.random.PCG64([SEED, order.seed]))
    players, voice = order.kind.split("-")
    stems, tune, singer, seconds = _backing(order, players, random)
    tune = _with_pauses(tune, seconds, random)
    if voice == "spoken":
        from .speaking import spoken

        vocals = spoken(order.voices or order.split, tune, singer, seconds, random)
    else:
        vocals = _formant(tune, singer, seconds, random)
    stems["vocals"] = in_room(vocals, random)
    stems = {
        name: sound if name == ACCOMPANIMENT else _mixed(name, sound, random)
        for name, sound in stems.items()
    }
    levels = _levels(stems, random)
    final = desk.balanced(
        stems, levels, float(random.uniform(0.0, 0.5)), float(random.uniform(0.55, 0.97))
    )
    return {name: np.round(sound * 32767.0).astype(np.int16) for name, sound in final.items()}


def _backing(
    order: Order, players: str, random: np.random.Generator
) -> tuple[dict[str, Signal], list[Any], Any, float]:
    """Return stems without the vocals, the tune to sing, who sings it, seconds."""
    if order.excerpt is not None and players == "released":
        return play_released(order.excerpt, random)
    if order.excerpt is not None:
        from .electronic import play_joined

        return play_joined(order.excerpt, random)
    seconds = float(random.uniform(*order.seconds))
    if players == "coded":
        song = arrangement.any_song(order.seed, seconds, random)
        return coded(song), score.melody(song), song.singer, song.seconds
    from .playing import play_arranged, play_written

    if players == "electronic":
        from .electronic import play_electronic

        return play_electronic(arrangement.any_song(order.seed, seconds, random), random)
    if players == "arranged":
        return play_arranged(arrangement.any_song(order.seed, seconds, random), random)
    return play_written(order.split, seconds, random)


def coded(song: Any) -> dict[str, Signal]:
    """Return drums, bass and other of a song as songmaker's instruments play them."""
    return {
        "drums": songmaker("drums").play_drums(song),
        "bass": songmaker("bass").play_bass(song),
        "other": songmaker("accompaniment").accompany(song),
    }


def _with_pauses(tune: list[Any], seconds: float, random: np.random.Generator) -> list[Any]:
    """Leave out the singing at the start, or for some seconds in the middle, in some songs."""
    quiet: list[tuple[float, float]] = []
    if random.random() < 0.4:
        quiet.append((0.0, float(random.uniform(2.0, 6.0))))
    if random.random() < 0.35:
        start = float(random.uniform(0.3, 0.7)) * seconds
        quiet.append((start, start + float(random.uniform(3.0, 8.0))))
    tune = [n for n in tune if n.start > 0.5 and n.end < seconds - 0.1]
    left = [n for n in tune if not any(a < n.end and n.start < b for a, b in quiet)]
    if len(left) < 6:
        left = tune
    kept, end = [], -1.0
    for note in left:
        kept.append(replace(note, opens=note.start - end > 0.2))
        end = note.end
    return kept


def _formant(tune: list[Any], singer: Any, seconds: float, random: np.random.Generator) -> Signal:
    """Return the vocals as songmaker's singer sings them."""
    stereo = recorded_formant(tune, singer, seconds, random)
    if random.random() < 0.3:
        second = tunes.third_above(tune, random)
        if second:
            stereo += float(random.uniform(0.3, 0.6)) * recorded_formant(
                second, singer, seconds, random
            )
    return stereo


def recorded_formant(
    tune: list[Any], singer: Any, seconds: float, random: np.random.Generator
) -> Signal:
    """Return a tune as songmaker's singer sings it, alone, (2, samples)."""
    return np.asarray(
        singing.doubled(singing.recorded(tune, singer, seconds, random), singer.double, random)
    )


def in_room(stereo: Signal, random: np.random.Generator) -> Signal:
    """Return a voice in a room, in some songs with an echo."""
    wet = float(random.choice([0.03, 0.08, 0.15, 0.3], p=[0.25, 0.35, 0.3, 0.1]))
    sound = desk.roomy(stereo, float(random.uniform(0.5, 2.4)), wet, random)
    if random.random() < 0.2:
        sound = desk.effects.echo(
            sound, float(random.uniform(0.2, 0.5)), float(random.uniform(0.1, 0.3))
        )
    return np.asarray(sound)


def _mixed(name: str, sound: Signal, random: np.random.Generator) -> Signal:
    """Apply random effects to a stem: tone, drive, a room, more or less treble."""
    if random.random() < 0.7:
        sound = desk.coloured(sound, random, 2.5 if name == "vocals" else 3.5)
    if random.random() < {"drums": 0.4, "bass": 0.5, "other": 0.2, "vocals": 0.2}[name]:
        sound = desk.driven(sound, float(np.exp(random.uniform(np.log(0.5), np.log(4.0)))))
    if name == "vocals" and random.random() < 0.4:
        sound = desk.aired(sound, float(random.uniform(0.05, 0.3)), random)
    if name in ("drums", "other") and random.random() < 0.6:
        sound = desk.roomy(
            sound, float(random.uniform(0.2, 1.8)), float(random.uniform(0.02, 0.15)), random
        )
    if name != "bass" and random.random() < 0.15:
        sound = desk.effects.low_pass(sound, float(random.uniform(7000.0, 15000.0)), 4)
    if name == "bass":
        sound = desk.effects.low_pass(sound, float(random.uniform(1500.0, 9000.0)), 2)
    return sound


def _levels(stems: Iterable[str], random: np.random.Generator) -> dict[str, float]:
    """Return levels in dB, distributed as in released songs."""
    middle = {"drums": -5.4, "bass": -5.2, "other": -5.8, "vocals": -5.5, ACCOMPANIMENT: 0.0}
    return {
        name: float(
            np.clip(random.normal(middle[name], 2.5), middle[name] - 5.5, middle[name] + 5.5)
        )
        for name in stems
    }
