"""Heads for pitch and activity, and the comb: jointly, one after the other, and each alone."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from zipformer_keras.configuration import Configuration
from zipformer_keras.training.heads import Heads, HeadSettings, Labelled, labelled
from zipformer_keras.variants import TINY
from zipformer_keras.weights import CONFIGURATION, WEIGHTS_FILE, write_weights

from benchmarks.structure.common import excerpts, markdown, shipped, songs_with, timed, with_error

HARMONIC = replace(TINY, harmonics=True)
WINDOW_S = 3.05
"""An excerpt: 128 frames."""
ROWS = {
    "heads alone": (HeadSettings(comb=False, gate=False),),
    "comb, joint": (HeadSettings(gate=False),),
    "activity, joint": (HeadSettings(comb=False),),
    "both, joint": (HeadSettings(),),
    "both, one after the other": (
        HeadSettings(comb=False, gate=False),
        HeadSettings(heads=False, steps=150),
    ),
}


def main(given: argparse.Namespace) -> None:
    """Print the tables; write the weights of the first seed of the last row."""
    network, weights = shipped()
    with timed("features and labels"):
        taught, _ = labelled_songs(network, given.material / "train", given.songs, 2)
        tested, songs_of = labelled_songs(network, given.material / "test", 20, 3)
    start = Heads(HARMONIC).scores(tested, songs_of)
    vocals = TINY.stems.index("vocals")
    rows, oracle = [], _oracle(tested, songs_of)
    rows.append(["comb of the true pitch (oracle, gains as trained)", *oracle(taught, start)])
    print(rows[-1], flush=True)
    for name, stages in ROWS.items():
        if given.rows and not name.startswith(tuple(given.rows)):
            continue
        found, arrays = [], {}
        with timed(name):
            for seed in range(given.seeds):
                heads = Heads(HARMONIC)
                for settings in stages:
                    heads.train(taught, replace(settings, seed=seed))
                found.append(heads.scores(tested, songs_of))
                arrays = arrays or heads.arrays()
        rows.append([name, *_cells(found, start, vocals)])
        print(rows[-1], flush=True)
        if given.out is not None:
            notes = {"heads": name, CONFIGURATION: json.dumps(HARMONIC.as_values())}
            place = given.out / name.replace(" ", "-").replace(",", "")
            write_weights(place / WEIGHTS_FILE, {**weights, **arrays}, notes, half=False)
    header = ["", "vocals, dB", "mean of four, dB", "bleed of silent stems, dB (v, d, b, o)",
              "pitch", "voicing", "activity"]  # fmt: skip
    print(
        f"`tiny`: SI-SDR {np.round(start['si_sdr'].mean(axis=0), 2)}, bleed {np.round(start['bleed'], 1)}"
    )
    print(markdown(header, rows))


def labelled_songs(
    network: object, folder: Path, most: int, each: int
) -> tuple[Labelled, list[int]]:
    """Consecutive excerpts from the middle of songs, and the song that each is of."""
    listed, songs_of = [], []
    for number, song in enumerate(songs_with(folder, TINY.stems, most)):
        stems = excerpts(song, TINY.stems, each * WINDOW_S)
        length = round(WINDOW_S * 44_100)
        for part in range(each):
            listed.append({n: s[:, part * length : (part + 1) * length] for n, s in stems.items()})
            songs_of.append(number)
    return labelled(network, TINY, listed), songs_of


def _cells(found: list[dict], start: dict, vocals: int) -> list[str]:
    gains = [scores["si_sdr"] - start["si_sdr"] for scores in found]
    bleed = np.mean([scores["bleed"] - start["bleed"] for scores in found], axis=0)
    return [
        with_error([float(gain[:, vocals].mean()) for gain in gains]),
        with_error([float(gain.mean()) for gain in gains]),
        ", ".join(f"{value:+.1f}" for value in bleed),
        *(
            f"{np.mean([scores[name] for scores in found]):.3f}"
            for name in ("pitch", "voicing", "activity")
        ),
    ]


def _oracle(tested: Labelled, songs_of: list[int]):
    """A comb whose pitch is known: the heads are replaced by the labels, only gains are trained."""

    def row(taught: Labelled, start: dict) -> list[str]:
        heads = _Told(HARMONIC)
        heads.train(heads.told(taught), HeadSettings(heads=False, gate=False, steps=150))
        found = heads.scores(heads.told(tested), songs_of)
        return _cells([found], start, TINY.stems.index("vocals"))

    return row


class _Told(Heads):
    """Heads that are given the true pitch in place of the vectors' first channels."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.layer.salience.assign([0.0, 0.0])

    def told(self, songs: Labelled) -> Labelled:
        """The same excerpts with the true pitch in place of the vectors."""
        return replace(songs, vectors=songs.pitches[..., None].astype(np.float32))

    def _outcome(self, logits, vectors, seen):  # noqa: ARG002 - the heads look at it
        from keras import ops

        logits, truth = ops.cast(logits, "float32"), ops.cast(vectors[..., 0], "int32")
        pitch = 30.0 * ops.one_hot(truth, 241)
        sounding = ops.zeros((*truth.shape, len(self.configuration.stems)))
        raised = logits + self.layer.added(pitch, sounding)
        return ops.softmax(raised, axis=2), pitch, sounding
