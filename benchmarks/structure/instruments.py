"""An electric piano and a voice from a few songs, rendered for this: each song is separated by what the others teach.

The songs are made as `rendered` makes them. The piano is a part of its own; the voice is one of the test
split, which the network never heard.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from zipformer_keras.configuration import Configuration, Grown
from zipformer_keras.runtime import build_keras
from zipformer_keras.training.adaptation import MOST_BESIDE, Settings
from zipformer_keras.training.song_cache import Cached, best_start, cached, unadapted
from zipformer_keras.variants import TINY

from benchmarks.structure.adapt import filtered, left_out, mixture_score
from benchmarks.structure.common import ROOT, markdown, shipped, timed, with_error

ELECTRIC_PIANO = 4
"""General MIDI."""
OTHER_PIANOS = (0, 1, 2, 3, 5)
VOICE = "flite_m_kal16"
SONGS, SECONDS = 6, 14.0
SEED = 20_000
Sounds = tuple[np.ndarray, np.ndarray]
"""The wanted stem and all else, float64 (2, samples)."""


def main(given: argparse.Namespace) -> None:
    """Print the table."""
    network, _ = shipped()
    untrained = build_keras(TINY)
    tasks: dict[str, tuple[Callable[[int], Sounds], str]] = {
        "electric piano": (piano_song, "other"), "voice never heard": (voice_song, "vocals"),
    }  # fmt: skip
    columns, names = [], []
    for name, (make, stem) in tasks.items():
        with timed(f"{name}: {SONGS} songs and their features"):
            sounds = [make(seed) for seed in range(SONGS)]
            songs = [_heard(network, *pair) for pair in sounds]
            blank = [_heard(untrained, *pair) for pair in sounds]
        base = [unadapted(song, [TINY.stems.index(stem)]) for song in songs]
        print(f"{name}: `{stem}` of `tiny` has {np.mean(base):.2f} dB SI-SDR", flush=True)
        own = stem if stem == "vocals" else "piano"
        with timed(name):
            columns.append(_column(songs, blank, base, own, given))
        names.append(f"{name}, over `{stem}`")
    rows = [[row, *(column[row] for column in columns)] for row in columns[0]]
    print(markdown(["gain, dB (standard error)", *names], rows))


def _heard(network: Any, wanted: np.ndarray, rest: np.ndarray) -> Cached:
    stem, mixture = (np.asarray(x, np.float32) for x in (wanted, wanted + rest))
    return cached(network, TINY, stem, mixture, SECONDS)


def _column(
    songs: list[Cached],
    blank: list[Cached],
    base: list[float],
    stem: str,
    given: argparse.Namespace,
) -> dict[str, str]:
    """Gains over the base's stem by row; errors are over songs, gains of seeds averaged."""

    def over(values: list[float]) -> list[float]:
        return [value - start for value, start in zip(values, base, strict=True)]

    def rest(song: Cached) -> list[Cached]:
        return [other for other in songs if other is not song]

    members = [best_start(rest(song), len(TINY.stems), MOST_BESIDE) for song in songs]
    sums = [unadapted(song, chosen) for song, chosen in zip(songs, members, strict=True)]
    found = {
        "the mixture": with_error(over([mixture_score(song) for song in songs])),
        "static filter from the same examples": with_error(
            over([filtered(rest(song), song) for song in songs])
        ),
        "the sum of the stems that are most like it": with_error(over(sums)),
    }
    start = partial(_started, stem=stem)
    for name, features in (
        ("`bench adapt`", songs),
        ("the same on a network never trained", blank),
    ):
        runs = []
        for seed in range(given.seeds):
            settings = Settings(steps=given.steps, batch_size=2, seed=seed)
            runs.append(over(left_out(features, settings, start)[1]))
        found[name] = with_error(list(np.mean(runs, axis=0)))
    return found


def _started(songs: list[Cached], stem: str) -> Configuration:
    if stem in TINY.stems:
        return replace(TINY, grown=Grown(stem, (stem,)))
    members = best_start(songs, len(TINY.stems), MOST_BESIDE)
    return replace(TINY, grown=Grown(stem, tuple(TINY.stems[index] for index in members)))


def piano_song(seed: int) -> Sounds:
    """An electric piano among drums, bass, other instruments and a voice."""
    studio = _studio()
    random = np.random.default_rng([SEED, seed])
    song = studio("arrangement").any_song(SEED + seed, SECONDS, random)
    parts, _ = studio("arrangement").backing(song, random)
    piano, band = replace(parts[2], program=ELECTRIC_PIANO), [*parts[:2], *parts[3:]]
    band = [p for p in band if p.program not in (ELECTRIC_PIANO, *OTHER_PIANOS)]
    play = studio("playing").play_parts
    played = play([piano], song.seconds, random)["other"]
    rest = _together(studio, play(band, song.seconds, random).values())
    tune = studio("songs").score.melody(song)
    voice = studio("songs").recorded_formant(tune, song.singer, song.seconds, random)
    return _balanced(studio, played, _together(studio, (rest, voice)), random)


def voice_song(seed: int) -> Sounds:
    """A voice of `rendered`'s test split over drums, bass and other instruments."""
    studio = _studio()
    random = np.random.default_rng([SEED + 1, seed])
    song = studio("arrangement").any_song(SEED + 100 + seed, SECONDS, random)
    tune, songs = studio("songs").score.melody(song), studio("songs")
    speaking = studio("speaking")
    timbre = speaking.drawn_timbre(VOICE, song.singer, random)
    voice, _ = speaking.spoken_by(VOICE, timbre, tune, song.singer, song.seconds, random)
    rest = _together(studio, songs.coded(song).values())
    return _balanced(studio, songs.in_room(voice, random), rest, random)


def _together(studio: Callable[[str], Any], sounds: Any) -> np.ndarray:
    """The sum of sounds of equal loudness."""
    level, listed = studio("desk").loudness, list(sounds)
    length = min(sound.shape[1] for sound in listed)
    return np.sum([s[:, :length] / (level(s) + 1e-9) for s in listed if level(s) > 1e-6], axis=0)


def _balanced(
    studio: Callable[[str], Any], wanted: np.ndarray, rest: np.ndarray, random: np.random.Generator
) -> Sounds:
    """The wanted stem 3 to 9 dB softer than the rest, the mixture's peak at 0.7."""
    level = studio("desk").loudness
    length = min(wanted.shape[1], rest.shape[1])
    wanted, rest = wanted[:, :length], rest[:, :length]
    softer = 10.0 ** (-random.uniform(3.0, 9.0) / 20.0)
    wanted = wanted * softer * level(rest) / (level(wanted) + 1e-9)
    scale = 0.7 / np.abs(wanted + rest).max()
    return wanted * scale, rest * scale


def _studio() -> Callable[[str], Any]:
    """Import modules of `rendered`'s package."""
    name, folder = "benchmark_studio", ROOT / "datasets" / "rendered" / "studio"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        package: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[name] = package
        assert spec.loader is not None
        spec.loader.exec_module(package)
    return lambda module: importlib.import_module(f"{name}.{module}")
