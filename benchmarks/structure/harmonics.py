"""Heads for pitch and activity, and the comb, on the frozen network: jointly, one after the other, and each alone."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from zipformer_keras.configuration import Configuration
from zipformer_keras.training.heads import Heads, HeadSettings, Labelled, labelled
from zipformer_keras.variants import TINY, VARIANTS
from zipformer_keras.weights import CONFIGURATION, WEIGHTS_FILE, read_weights, write_weights

from benchmarks.structure.combs import Scores, comb_rows, own_pitches
from benchmarks.structure.common import (
    SHIPPED,
    Stems,
    excerpts,
    markdown,
    shipped,
    songs_with,
    timed,
    with_error,
)

WINDOW_S = 3.05
"""An excerpt: 128 frames."""
HEADS_ALONE = "heads alone"
ROWS = {
    HEADS_ALONE: (HeadSettings(comb=False, gate=False),),
    "comb, joint": (HeadSettings(gate=False),),
    "activity, joint": (HeadSettings(comb=False),),
    "both, joint": (HeadSettings(),),
    "both, one after the other": (
        HeadSettings(comb=False, gate=False),
        HeadSettings(heads=False, steps=150),
    ),
}
GATES = (0.25, 0.5, 1.0, 2.0)
"""Gains of the activities that are tried, without training, on the heads alone."""
HEADER = ["frozen network", "vocals, dB", "mean of four, dB", "bleed of silent stems, dB (v, d, b, o)",
          "pitch", "voicing", "activity"]  # fmt: skip


class Table:
    """Rows against the network without the layer, printed as they come."""

    def __init__(self, start: Scores) -> None:
        self.start, self.rows = start, [HEADER[:]]
        print(f"nothing added: SI-SDR {np.round(start['si_sdr'].mean(axis=0), 2)}, "
              f"bleed {np.round(start['bleed'], 1)}", flush=True)  # fmt: skip

    def add(self, name: str, found: list[Scores]) -> None:
        """A row of the scores of some seeds."""
        start, vocals = self.start, TINY.stems.index("vocals")
        gains = [scores["si_sdr"] - start["si_sdr"] for scores in found]
        bleed = np.mean([scores["bleed"] - start["bleed"] for scores in found], axis=0)
        shares = (
            np.mean([scores[n] for scores in found]) for n in ("pitch", "voicing", "activity")
        )
        # Of one seed or none, the error is that over songs.
        first = len(found) == 1
        voice, mean = (
            [float(x) for x in values(gains[0])]
            if first
            else [float(values(g).mean()) for g in gains]
            for values in (lambda g: g[:, vocals], lambda g: g.mean(axis=1))
        )
        self.rows.append([
            name, with_error(voice), with_error(mean),
            ", ".join(f"{value:+.1f}" for value in bleed), *(f"{share:.3f}" for share in shares),
        ])  # fmt: skip
        print(self.rows[-1], flush=True)


def main(given: argparse.Namespace) -> None:
    """Print the table; with ``--out`` write the weights of the first seed of every row."""
    network, weights = shipped(given.variant)
    c = VARIANTS[given.variant]
    harmonic = replace(c, harmonics=True)
    with timed("features and labels"):
        taught, _, _ = labelled_songs(network, given.material / "train", given.songs, 2, c)
        tested, songs_of, stems = labelled_songs(network, given.material / "test", 20, 3, c)
    table = Table(Heads(harmonic).scores(tested, songs_of))
    if not given.rows:
        with timed("combs whose pitch is given"):
            own = own_pitches(tested, stems)
            comb_rows(taught, tested, own, songs_of, lambda name, found: table.add(name, [found]))
    for name, stages in ROWS.items():
        if given.rows and not name.startswith(tuple(given.rows)):
            continue
        trained = []
        with timed(name):
            for seed in range(given.seeds):
                heads = Heads(harmonic)
                for settings in stages:
                    heads.train(taught, replace(settings, seed=seed))
                trained.append(heads)
        table.add(name, [heads.scores(tested, songs_of) for heads in trained])
        if given.out is not None:
            place = given.out / name.replace(" ", "-").replace(",", "")
            _, notes = read_weights(SHIPPED / given.variant / WEIGHTS_FILE)
            notes |= {"heads": name, CONFIGURATION: json.dumps(harmonic.as_values())}
            arrays = {**weights, **trained[0].arrays()}
            write_weights(place / WEIGHTS_FILE, arrays, notes, bits=given.bits)
        if name == HEADS_ALONE:
            for gate in GATES:
                table.add(f"{name}, gate {gate} set by hand",
                          [_gated(heads, gate).scores(tested, songs_of) for heads in trained])  # fmt: skip
    print(markdown(table.rows[0], table.rows[1:]))


def labelled_songs(
    network: object, folder: Path, most: int, each: int, configuration: Configuration = TINY
) -> tuple[Labelled, list[int], list[Stems]]:
    """Consecutive excerpts from the middle of songs, the song that each is of, and its stems."""
    listed, songs_of = [], []
    for number, song in enumerate(songs_with(folder, TINY.stems, most)):
        stems = excerpts(song, TINY.stems, each * WINDOW_S)
        length = round(WINDOW_S * 44_100)
        for part in range(each):
            listed.append({n: s[:, part * length : (part + 1) * length] for n, s in stems.items()})
            songs_of.append(number)
    return labelled(network, configuration, listed), songs_of, listed


def _gated(heads: Heads, gate: float) -> Heads:
    heads.layer.gate.assign(np.full(heads.layer.gate.shape, gate, np.float32))
    return heads
