"""Two singers at once: permutation-invariant training, song-adaptive kernels, and a singer's example.

All rows go on from one network. It starts from ``zipformer:tiny``, whose vocals become two voices, and learns
permutation-invariantly from windows of the voices of `rendered`'s and `duets`' train songs. Every row then takes
the same number of steps. Scores are of the test songs of `duets`, whose voices no train song has. An example is the
same singer with another tune in another room.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from zipformer_keras.configuration import CHANNELS, Configuration
from zipformer_keras.inference import Separator
from zipformer_keras.queries import signature
from zipformer_keras.runtime import build_keras
from zipformer_keras.training.loop import Run
from zipformer_keras.training.objectives.duets import Duets
from zipformer_keras.training.recipe import read_recipe
from zipformer_keras.training.song_cache import si_sdr
from zipformer_keras.training.train import set_precision
from zipformer_keras.variants import TINY, VARIANTS
from zipformer_keras.weights import (
    CONFIGURATION,
    WEIGHTS_FILE,
    assign,
    collect,
    read_weights,
    write_weights,
)

from benchmarks.material import mapped_songs
from benchmarks.structure.common import RATE, Stems, excerpt, markdown, shipped, with_error

DUET = VARIANTS["duet"]
VOICES = ("voice-1", "voice-2")
EXAMPLES = "examples"
EXAMPLE_S = 8


@dataclass(frozen=True, slots=True)
class Row:
    """What a row trains: its network, and the share of the excerpts that come with an example."""

    configuration: Configuration
    asked: float = 0.0


START = Row(DUET)
ROWS = {
    "permutation-invariant": Row(DUET),
    "an example in three of four excerpts": Row(DUET, 0.75),
    "song-adaptive kernels, permutation-invariant": Row(replace(DUET, grouping=True)),
}
PIECE = 22_050
"""Samples of a piece whose voices may change places, for ``pieces``."""
COLUMNS = {
    "gain": "the two voices, better order, dB", "pieces": "pieces of 0.5 s, better order, dB",
    "asked": "the singer of the example, dB", "right": "right singer",
    "picked": "picked by signature, dB", "picked_right": "picked right",
    "known": "true voices told apart by signature",
}  # fmt: skip


def main(given: argparse.Namespace) -> None:
    """Train what is not trained yet in ``--out``, and print the table."""
    found: dict[str, list[dict[str, list[float]]]] = {}
    costs: dict[str, tuple[int, float]] = {}
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        start, *_ = _trained(START, _start(), given, seed, given.out / f"start-{seed}", fall=0.0)
        for name, row in ROWS.items():
            if given.rows and not name.startswith(tuple(given.rows)):
                continue
            folder = given.out / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
            arrays, steps, spent = _trained(row, start, given, seed, folder, fall=0.7)
            costs[name] = steps, spent
            scores = score(row, arrays, given.duets)
            found.setdefault(name, []).append(scores)
            means = {k: round(float(np.mean(values)), 3) for k, values in scores.items() if values}
            print(json.dumps({"row": name, "seed": seed, "steps": steps, "cpu_s": round(spent),
                              **means}), flush=True)  # fmt: skip
    rows = [[name, "{}, {:.0f}".format(*costs[name]), *(_cell(results, key) for key in COLUMNS)]
            for name, results in found.items()]  # fmt: skip
    print(markdown(["", "steps, processor s", *COLUMNS.values()], rows))


def _start() -> dict[str, np.ndarray]:
    """Weights of `tiny`, whose vocals are two voices with half of the odds each."""
    _, weights = shipped()
    rng = np.random.default_rng(0)
    vocals, other = (TINY.stems.index(stem) * CHANNELS for stem in ("vocals", "other"))
    places = [vocals, vocals + 1, vocals, vocals + 1, other, other + 1]
    kernel, bias = weights["unembed/kernel_0"][:, :, places], weights["unembed/bias_0"][places]
    noise = 0.2 * kernel.std() * rng.standard_normal(kernel.shape)
    noise[:, :, 2 * CHANNELS :] = 0.0
    bias[: 2 * CHANNELS] -= np.log(2.0)
    return weights | {
        "unembed/kernel_0": (kernel + noise).astype(np.float32),
        "unembed/bias_0": bias,
    }


def _trained(
    row: Row,
    initial: Mapping[str, np.ndarray],
    given: argparse.Namespace,
    seed: int,
    folder: Path,
    *,
    fall: float,
) -> tuple[dict[str, np.ndarray], int, float]:
    """Averaged weights after ``--steps``, the steps and their processor seconds."""
    import keras

    path = folder / "weights" / WEIGHTS_FILE
    if path.is_file():
        arrays, notes = read_weights(path)
        return arrays, int(notes["steps"]), float(notes["cpu_s"])
    set_precision(given.precision)
    keras.utils.set_random_seed(seed)
    network = build_keras(row.configuration)
    # What the initial network has not is as it was drawn.
    assign(network, collect(network) | dict(initial))
    recipe = read_recipe("tiny", {
        "steps": given.steps, "seed": seed, "precision": given.precision, "frames": 96,
        "fall": fall, "learning_rate": 1e-3, "warmup": 30, "average": 0.99, "save_every": 50,
        "validate_every": 10**9,
    })  # fmt: skip
    songs = mapped_songs(given.material / "train")
    songs |= mapped_songs(given.duets / "train", stem="voice-1")
    learned = [song for name, song in songs.items() if name.startswith("train")]
    objective = Duets(learned, row.configuration, recipe, row.asked)
    objective.adapt(network)
    run = Run(recipe, row.configuration, network, objective, folder, adapt=False)
    run.run()
    with run.averaged():
        arrays = collect(network)
    set_precision("float32")
    notes = {
        CONFIGURATION: json.dumps(row.configuration.as_values()),
        "steps": str(run.step), "cpu_s": str(run.cpu_s),
    }  # fmt: skip
    write_weights(path, arrays, notes)
    return arrays, run.step, run.cpu_s


def score(row: Row, arrays: Mapping[str, np.ndarray], folder: Path) -> dict[str, list[float]]:
    """Gains over the mixture in dB, of the test songs of `folder`.

    Returns
    -------
    dict
        ``gain`` of each song's two voices, in the better order, and ``pieces``, of voices put together from pieces
        in the better order each. For each singer's example ``known``, 1 where the true voices' signatures
        tell who it is; ``picked``,
        the gain of the separated voice whose signature is nearer to the example's, and
        ``picked_right``, 1 where this voice is more like the singer than like the other; if the
        network learned from examples also ``asked`` and ``right``, the same of its first stem.
    """
    found: dict[str, list[float]] = {name: [] for name in COLUMNS}
    for song in sorted((folder / "test").iterdir()):
        stems = _stems(song)
        mixture = np.sum(list(stems.values()), axis=0)
        voices = [stems[voice] for voice in VOICES]
        before = [_si_sdr(mixture, voice) for voice in voices]
        answer = Separator(row.configuration, arrays).separate(mixture, RATE)
        table = [[_si_sdr(answer[name], voice) for voice in voices] for name in VOICES]
        best = max(table[0][0] + table[1][1], table[0][1] + table[1][0])
        found["gain"].append((best - sum(before)) / 2)
        ordered = _in_order([answer[name] for name in VOICES], voices)
        reached = [_si_sdr(*pair) for pair in zip(ordered, voices, strict=True)]
        found["pieces"].append((sum(reached) - sum(before)) / 2)
        signatures = [signature(answer[name], row.configuration) for name in VOICES]
        true = [signature(sound, row.configuration) for sound in voices]
        for place, voice in enumerate(VOICES):
            path = folder / EXAMPLES / "test" / song.name / f"{voice}.flac"
            query = signature(excerpt(path, 0, EXAMPLE_S * RATE), row.configuration)
            nearer = _nearest(query, signatures)
            found["known"].append(float(_nearest(query, true) == place))
            found["picked"].append(table[nearer][place] - before[place])
            found["picked_right"].append(float(table[nearer][place] > table[nearer][1 - place]))
            if not row.asked:
                continue
            asked = Separator(row.configuration, arrays, query=query).separate(mixture, RATE)
            reached = [_si_sdr(asked["voice-1"], sound) for sound in voices]
            found["asked"].append(reached[place] - before[place])
            found["right"].append(float(reached[place] > reached[1 - place]))
    return found


def _nearest(query: np.ndarray, signatures: list[np.ndarray]) -> int:
    return int(np.argmin([np.abs(query - seen).sum() for seen in signatures]))


def _in_order(estimates: list[np.ndarray], voices: list[np.ndarray]) -> list[np.ndarray]:
    """Two estimates of which every piece is given to the voice that it is nearer to."""
    first, second = (np.array(estimate) for estimate in estimates)
    for start in range(0, first.shape[1], PIECE):
        part = np.s_[:, start : start + PIECE]
        straight, crossed = (
            sum(
                float(np.square(e[part] - v[part]).sum())
                for e, v in zip(order, voices, strict=True)
            )
            for order in ((first, second), (second, first))
        )
        if crossed < straight:
            first[part], second[part] = second[part].copy(), first[part].copy()
    return [first, second]


def _stems(folder: Path) -> Stems:
    return {
        path.stem: excerpt(path, 0, soundfile.info(path).frames) for path in folder.glob("*.flac")
    }


def _si_sdr(estimate: np.ndarray, reference: np.ndarray) -> float:
    products = ((estimate, reference), (estimate, estimate), (reference, reference))
    return si_sdr(*(float(np.vdot(a, b)) for a, b in products))


def _cell(results: list[dict[str, list[float]]], key: str) -> str:
    values = [float(np.mean(scores[key])) for scores in results if scores[key]]
    return with_error(values) if values else "-"
