"""The whole network on from one checkpoint: nothing added, heads beside it, heads and comb, and one after the other.

Every row starts from ``zipformer:tiny`` and hears the same excerpts. Rows with heads take theirs from ``--heads``,
weights that ``harmonics`` wrote; nothing added takes `EXTRA` steps more, for the processor seconds that these cost.
A row that is stopped goes on from its last saved state.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from zipformer_keras.runtime import build_keras
from zipformer_keras.training.augmentation import Library
from zipformer_keras.training.heads import Heads, HeadSettings, Labelled
from zipformer_keras.training.loop import Run
from zipformer_keras.training.objectives.annotated import Annotated
from zipformer_keras.training.objectives.separation import Separation
from zipformer_keras.training.recipe import COMB, NOTES, Recipe, read_recipe
from zipformer_keras.training.starting import warm_start
from zipformer_keras.training.train import set_precision
from zipformer_keras.variants import TINY
from zipformer_keras.weights import (
    HEADS,
    WEIGHTS_FILE,
    assign,
    collect,
    read_weights,
    without_heads,
)

from benchmarks.material import mapped_songs
from benchmarks.structure.combs import HARMONIC, Scores
from benchmarks.structure.common import markdown, shipped, with_error
from benchmarks.structure.harmonics import HEADER, labelled_songs

EXTRA = 80
"""Steps of about 0.5 processor seconds, for about 40 that heads and comb took on the frozen network."""
CONTROL, NOTES_ROW, COMB_ROW = "nothing added", "heads, joint", "heads and comb, joint"
SEPARATE = "heads and comb, after the network"
ROWS = {CONTROL: "", NOTES_ROW: NOTES, COMB_ROW: COMB}
STARTS = {NOTES_ROW: "heads-alone", COMB_ROW: "both-joint"}
"""Folders of ``--heads``."""


def main(given: argparse.Namespace) -> None:
    """Print rows as they come, then the table of all."""
    place = given.out
    network, weights = shipped()
    tested, songs_of, _ = labelled_songs(network, given.material / "test", 20, 3)
    start = Heads(HARMONIC).scores(tested, songs_of)
    library, songs = _library(given.material / "train"), given.material / "train"
    found: dict[str, list[Scores]] = {name: [] for name in (*ROWS, SEPARATE)}
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        for name, heads in ROWS.items():
            folder = place / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
            steps = given.steps + (0 if heads else EXTRA)
            recipe = _recipe(steps, seed, heads, given.precision)
            initial = weights
            if heads:
                initial, _ = read_weights(given.heads / STARTS[name] / WEIGHTS_FILE)
            trained, arrays, spent = _trained(library, recipe, initial, folder)
            scores = _scores(trained, arrays, tested, songs_of)
            found[name].append(scores | {"cpu_s": np.array(spent)})
            _told(name, seed, found[name][-1], start)
            if not heads:
                begin = time.process_time()
                taught, _, _ = labelled_songs(trained, songs, given.songs, 2)
                layer = Heads(HARMONIC)
                layer.train(taught, HeadSettings(seed=seed))
                own = without_heads(arrays)
                spent += time.process_time() - begin
                scores = _scores(trained, own | layer.arrays(), tested, songs_of)
                found[SEPARATE].append(scores | {"cpu_s": np.array(spent)})
                _told(SEPARATE, seed, found[SEPARATE][-1], start)
    rows = [_row(name, scores, found[CONTROL], start) for name, scores in found.items()]
    print(markdown(["on from `tiny`", "processor s", "vocals over nothing added, dB",
                    *HEADER[1:]], rows))  # fmt: skip


def _recipe(steps: int, seed: int, heads: str, precision: str) -> Recipe:
    return read_recipe("further", {
        "steps": steps, "seed": seed, "heads": heads, "precision": precision,
        "learning_rate": 5e-4, "warmup": 30, "save_every": 50, "validate_every": 10**9,
        # Variations as those that the shipped weights were trained with at the end, but weaker.
        "thin": 0.85, "double": 0.2, "backing": 0.45, "deep": 0.15, "thick": 0.12, "room": 0.1,
        "wide": 0.12, "sparse": 0.04, "duck": 0.1, "master": 0.2,
    })  # fmt: skip


def _library(folder: Path) -> Library:
    songs = mapped_songs(folder)
    return Library.of(
        [song for name, song in songs.items() if name.startswith("train")], TINY.stems
    )


def _trained(
    library: Library, recipe: Recipe, initial: Mapping[str, np.ndarray], folder: Path
) -> tuple[Any, dict[str, np.ndarray], float]:
    """The network with its averaged weights, these, and the processor seconds."""
    import keras

    configuration = HARMONIC if recipe.heads else TINY
    set_precision(recipe.precision)
    keras.utils.set_random_seed(recipe.seed)
    network = build_keras(configuration)
    assign(network, warm_start(initial, collect(network)))
    make: Callable[..., Any] = Annotated if recipe.heads else Separation
    run = Run(
        recipe, configuration, network, make(library, configuration, recipe), folder, adapt=False
    )
    run.run()
    with run.averaged():
        arrays = collect(network)
    set_precision("float32")
    plain = build_keras(TINY)
    assign(plain, without_heads(arrays))
    return plain, arrays, run.cpu_s


def _scores(
    network: Any, arrays: Mapping[str, np.ndarray], tested: Labelled, songs_of: list[int]
) -> Scores:
    """Scores of a network without its heads, and of the heads among its arrays."""
    import tensorflow as tf

    def run(seen: Any) -> Any:
        numbers, _, vectors = network.decoded(seen)
        return tf.reshape(numbers, (1, seen.shape[1], len(TINY.stems), 2, -1)), vectors

    forward = tf.function(run, autograph=False)
    answers = [[a.numpy()[0].astype(np.float16) for a in forward(tf.constant(seen[None]))]
               for seen in tested.seen]  # fmt: skip
    logits, vectors = (np.stack(part) for part in zip(*answers, strict=True))
    heads = {n: a for n, a in arrays.items() if n.startswith(HEADS)}
    layer = Heads(HARMONIC, heads)
    return layer.scores(replace(tested, logits=logits, vectors=vectors), songs_of)


def _told(name: str, seed: int, scores: Scores, start: Scores) -> None:
    gain = (scores["si_sdr"] - start["si_sdr"]).mean(axis=0)
    values = {n: np.round(scores[n] - (start[n] if n == "bleed" else 0), 3).tolist()
              for n in ("bleed", "pitch", "voicing", "activity", "cpu_s")}  # fmt: skip
    print(json.dumps({"row": name, "seed": seed, "gain": np.round(gain, 3).tolist(), **values}),
          flush=True)  # fmt: skip


def _row(name: str, found: list[Scores], control: list[Scores], start: Scores) -> list[str]:
    vocals = TINY.stems.index("vocals")

    def over(first: Scores, second: Scores, stem: int | slice) -> float:
        return float((first["si_sdr"] - second["si_sdr"])[:, stem].mean())

    pairs = [over(a, b, vocals) for a, b in zip(found, control, strict=True)]
    bleed = np.mean([scores["bleed"] - start["bleed"] for scores in found], axis=0)
    return [
        name, f"{np.mean([scores['cpu_s'] for scores in found]):.0f}", with_error(pairs),
        with_error([over(a, start, vocals) for a in found]),
        with_error([over(a, start, slice(None)) for a in found]),
        ", ".join(f"{value:+.1f}" for value in bleed),
        *(f"{np.mean([s[n] for s in found]):.3f}" for n in ("pitch", "voicing", "activity")),
    ]  # fmt: skip
