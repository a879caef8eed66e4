"""Two singers at once: permutation-invariant training, song-adaptive kernels, and a singer's example.

Every network starts from ``zipformer:tiny``, whose vocals become two voices, and gets the same processor
seconds on windows of the vocals of the train songs of `rendered`. It is scored on test songs of `duets`, whose
singers no train song has. An example is the same singer in another song.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from zipformer_keras.configuration import CHANNELS
from zipformer_keras.inference import Separator
from zipformer_keras.queries import signature
from zipformer_keras.runtime import build_keras
from zipformer_keras.training.loop import Run
from zipformer_keras.training.objectives.duets import Duets
from zipformer_keras.training.recipe import read_recipe
from zipformer_keras.training.song_cache import si_sdr
from zipformer_keras.training.train import set_precision
from zipformer_keras.variants import TINY, VARIANTS
from zipformer_keras.weights import CONFIGURATION, WEIGHTS_FILE, assign, collect, write_weights

from benchmarks.material import mapped_songs
from benchmarks.structure.common import RATE, ROOT, Stems, excerpt, markdown, shipped, with_error

DUET = VARIANTS["duet"]
ROWS = {
    "permutation-invariant": (DUET, 0.0),
    "an example in half of the excerpts": (DUET, 0.5),
    "song-adaptive kernels, permutation-invariant": (replace(DUET, grouping=True), 0.0),
}
VOICES = ("voice-1", "voice-2")
UNSTABLE = "formant"
"""A voice whose tract is drawn for each song, so that no other song has an example of it."""
EXAMPLE_S = 8


def main(given: argparse.Namespace) -> None:
    """Train what is not trained yet in ``--out``, and print the table."""
    prepare(given.duets, given.songs)
    rows = []
    for name, (configuration, asked) in ROWS.items():
        if given.rows and not name.startswith(tuple(given.rows)):
            continue
        results = []
        for seed in range(given.seeds):
            folder = given.out / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
            arrays, steps, spent = _trained(configuration, asked, seed, given, folder)
            scores = score(configuration, arrays, given.duets, example=asked > 0)
            results.append(scores)
            means = {k: round(float(np.mean(values)), 3) for k, values in scores.items() if values}
            print(json.dumps({"row": name, "seed": seed, "steps": steps, "cpu_s": round(spent),
                              **means}), flush=True)  # fmt: skip
        rows.append([name, *(_cell(results, key) for key in ("gain", "asked", "right"))])
    print(markdown(["", "gain of the voices, dB", "gain of the singer of the example, dB",
                    "right singer"], rows))  # fmt: skip


def prepare(folder: Path, most: int) -> None:
    """Render test songs of `duets` that are not there yet, and note who sings."""
    path = ROOT / "datasets" / "duets" / "loader.py"
    spec = importlib.util.spec_from_file_location("benchmark_duets_loader", path)
    assert spec is not None
    assert spec.loader is not None
    loader = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loader
    spec.loader.exec_module(loader)
    listed = folder / "singers.csv"
    known = _singers(folder) if listed.is_file() else {}
    folder.mkdir(parents=True, exist_ok=True)
    for name in [song for song in loader.SONGS if song.startswith("test")][:most]:
        if name in known:
            continue
        stems, singers = loader.render(name)
        (folder / name).mkdir(exist_ok=True)
        for stem, audio in stems.items():
            soundfile.write(folder / name / f"{stem}.flac", audio.T, RATE, subtype="PCM_16")
        fresh = not listed.is_file()
        with listed.open("a", encoding="utf-8") as file:
            file.write("song,voice-1,voice-2\n" if fresh else "")
            file.write(f"{name},{singers['voice-1']},{singers['voice-2']}\n")


def _singers(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "singers.csv").open(encoding="utf-8") as file:
        return {row["song"]: {v: row[v] for v in VOICES} for row in csv.DictReader(file)}


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
    configuration: Any, asked: float, seed: int, given: argparse.Namespace, folder: Path
) -> tuple[dict[str, np.ndarray], int, float]:
    """Averaged weights after ``--cpu-seconds`` of processor, the steps and the seconds."""
    import keras

    set_precision(given.precision)
    keras.utils.set_random_seed(seed)
    network = build_keras(configuration)
    # What `tiny` has not is as it was drawn.
    assign(network, collect(network) | _start())
    recipe = read_recipe("tiny", {
        "steps": 100_000, "seed": seed, "precision": given.precision, "frames": 96, "fall": 0.0,
        "learning_rate": 1e-3, "warmup": 30, "average": 0.98, "save_every": 50,
        "validate_every": 10**9,
    })  # fmt: skip
    songs = mapped_songs(given.material / "train")
    learned = [song for name, song in songs.items() if name.startswith("train")]
    objective = Duets(learned, configuration, recipe, asked)
    run = Run(recipe, configuration, network, objective, folder, adapt=False)
    run.run(cpu_limit_s=given.cpu_seconds)
    with run.averaged():
        arrays = collect(network)
    set_precision("float32")
    notes = {CONFIGURATION: json.dumps(configuration.as_values())}
    write_weights(folder / "weights" / WEIGHTS_FILE, arrays, notes)
    return arrays, run.step, run.cpu_s


def score(
    configuration: Any, arrays: Mapping[str, np.ndarray], folder: Path, *, example: bool
) -> dict[str, list[float]]:
    """Gains over the mixture in dB.

    Returns
    -------
    dict
        ``gain`` of each song's two voices, in the better order; with examples ``asked``, the gain of
        the first stem for the singer of the example, and ``right``, 1 where it is more like this
        singer than like the other.
    """
    singers = _singers(folder)
    found: dict[str, list[float]] = {"gain": [], "asked": [], "right": []}
    for song, sung in singers.items():
        stems = _stems(folder / song)
        mixture = np.sum(list(stems.values()), axis=0)
        voices = [stems[voice] for voice in VOICES]
        before = [_si_sdr(mixture, voice) for voice in voices]
        answer = Separator(configuration, arrays).separate(mixture, RATE)
        table = [[_si_sdr(answer[a], voice) for voice in voices] for a in VOICES]
        best = max(table[0][0] + table[1][1], table[0][1] + table[1][0])
        found["gain"].append((best - sum(before)) / 2)
        if not example:
            continue
        for place, voice in enumerate(VOICES):
            sound = _example(folder, singers, song, sung[voice])
            if sound is None or sung["voice-1"] == sung["voice-2"]:
                continue
            query = signature(sound, configuration)
            first = Separator(configuration, arrays, query=query).separate(mixture, RATE)["voice-1"]
            gains = [_si_sdr(first, voices[index]) - before[index] for index in (place, 1 - place)]
            found["asked"].append(gains[0])
            found["right"].append(float(gains[0] + before[place] > gains[1] + before[1 - place]))
    return found


def _stems(folder: Path) -> Stems:
    return {
        path.stem: excerpt(path, 0, soundfile.info(path).frames) for path in folder.glob("*.flac")
    }


def _example(
    folder: Path, singers: Mapping[str, Mapping[str, str]], song: str, singer: str
) -> np.ndarray | None:
    """The beginning of a voice of another song by the same singer."""
    if singer == UNSTABLE:
        return None
    for other, sung in singers.items():
        for voice in VOICES:
            if other != song and sung[voice] == singer:
                return excerpt(folder / other / f"{voice}.flac", 0, EXAMPLE_S * RATE)
    return None


def _si_sdr(estimate: np.ndarray, reference: np.ndarray) -> float:
    products = ((estimate, reference), (estimate, estimate), (reference, reference))
    return si_sdr(*(float(np.vdot(a, b)) for a, b in products))


def _cell(results: list[dict[str, list[float]]], key: str) -> str:
    values = [float(np.mean(scores[key])) for scores in results if scores[key]]
    return with_error(values) if values else "-"
