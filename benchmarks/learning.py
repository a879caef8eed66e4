"""The gain of learning without stems: every way of training against training from scratch.

::

    python -m benchmarks.learning --material DIR [--rows scratch,clusters] [--songs 1,4,40] [--seeds 3]

DIR is the folder of the prepared data set `rendered`. A row is compared with the run from scratch
with the same labelled songs and seed twice: after equally many labelled steps, and after equally many
processor seconds, including pretraining. Below 2,000 labelled steps a run lacks steps, not songs. Runs
are kept in ``--out`` and can be resumed; ``docs/learning.md`` is rewritten after each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "adapters" / "zipformer")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

from zipformer_keras.configuration import Cells  # noqa: E402
from zipformer_keras.inference import Separator  # noqa: E402
from zipformer_keras.runtime import build_keras  # noqa: E402
from zipformer_keras.training.augmentation import MIXTURE, RATE, Library, Song  # noqa: E402
from zipformer_keras.training.loop import Run  # noqa: E402
from zipformer_keras.training.objectives.separation import Separation  # noqa: E402
from zipformer_keras.training.pretrain import OBJECTIVES, prepare  # noqa: E402
from zipformer_keras.training.recipe import Recipe, read_recipe  # noqa: E402
from zipformer_keras.training.train import set_precision  # noqa: E402
from zipformer_keras.training.validation import gains  # noqa: E402
from zipformer_keras.variants import TINY  # noqa: E402
from zipformer_keras.weights import (  # noqa: E402
    WEIGHTS_FILE,
    assign,
    collect,
    read_weights,
    write_weights,
)

from benchmarks.learning_table import Cell, markdown, write_page  # noqa: E402
from benchmarks.material import mapped_songs  # noqa: E402
from benchmarks.zipformer.common import si_sdr  # noqa: E402

PAGE = ROOT / "docs" / "learning.md"
SCRATCH, SELFTRAIN, POINTS = "scratch", "selftrain", "scratch.json"
ROWS = (SCRATCH, *OBJECTIVES, SELFTRAIN)
COUNTS = (1, 4, 40)
TRIAL = replace(
    TINY,
    width=96,
    stacks=((1, 1), (2, 1), (4, 1)),
    groups=(Cells(96), Cells(144, 2), Cells(96, 4), Cells(48, 16)),
    embed=(8, 16, 24, 24),
)
"""A reduced `tiny`: 384 cells, three stacks of one layer."""


@dataclass(frozen=True)
class Material:
    """The songs of a trial.

    Parameters
    ----------
    whole
        Training songs with four stems.
    mixtures
        Training songs as mixtures, used by the rows that learn without stems.
    test
        Test songs with four stems.
    """

    whole: Sequence[Song]
    mixtures: Sequence[Song]
    test: Sequence[Song]

    @classmethod
    def of(cls, folder: Path, unlabelled: int, tested: int | None) -> Material:
        """Map the songs of a prepared folder with ``train`` and ``test``, up to the given counts."""
        train = {n: s for n, s in mapped_songs(folder / "train").items() if n.startswith("train")}
        whole = [song for song in train.values() if set(TINY.stems) <= set(song())]
        test = [s for s in mapped_songs(folder / "test").values() if set(TINY.stems) <= set(s())]
        spread = list(train.values())[:: max(len(train) // unlabelled, 1)][:unlabelled]
        return cls(whole, [_mixture(song) for song in spread], test[:tested])


def _mixture(song: Song) -> Song:
    def mixed() -> Mapping[str, np.ndarray]:
        total = np.sum([stem.astype(np.int32) for stem in song().values()], axis=0)
        return {MIXTURE: np.clip(total, -32768, 32767).astype(np.int16)}

    return cache(mixed)


class Trial:
    """Runs of one number of labelled songs and one seed.

    Parameters
    ----------
    material
        All songs.
    count, seed
        Number of labelled songs, and the seed, which also selects them.
    steps, pretraining
        Number of labelled steps, and of preceding steps without stems.
    folder
        The folder in which runs are kept; what precedes them does not depend on the labelled songs, and is
        kept and run once for each seed.
    """

    def __init__(
        self, material: Material, count: int, seed: int, steps: int, pretraining: int, folder: Path
    ) -> None:
        self.material, self.steps, self.pretraining = material, steps, pretraining
        self.count, self.seed, self.folder = count, seed, folder / f"{count}-{seed}"
        self.before = folder / f"before-{seed}"
        order = np.random.default_rng([seed, 7]).permutation(len(material.whole))
        self.labelled = [material.whole[int(index)] for index in order[:count]]

    def run(self, row: str) -> Cell:
        """Train one row, and the run from scratch up to the steps that the comparison needs."""
        start = self._scratch()
        if row == SCRATCH:
            return self._cell(row, self.steps, start["cpu_s"], start["gain"])
        spent, network, songs = 0.0, self._network(), self.labelled
        if row == SELFTRAIN:
            songs, spent, before = self._taught(), start["cpu_s"], self.steps
        else:
            spent, before = self._pretrained(network, row), self.pretraining
        run = self._separation(row, network, songs, adapt=row == SELFTRAIN)
        run.run()
        return self._cell(row, before + self.steps, spent + run.cpu_s, self._scored(run))

    def _cell(self, row: str, steps: int, cpu_s: float, gain: float) -> Cell:
        by_steps, by_seconds = self._scratch()["gain"], self._scratch_after(cpu_s)
        return Cell(
            row, self.count, self.seed, steps, self.steps, cpu_s, gain, by_steps, by_seconds
        )

    def _recipe(self, **changes: Any) -> Recipe:
        """`tiny`'s recipe at a constant learning rate: a schedule would favour one run length."""
        steady = {"fall": 0.001, "frames": 64, "save_every": 50, "validate_every": 10**9}
        return read_recipe("tiny", steady | {"seed": self.seed, "average": 0.99} | changes)

    def _network(self) -> Any:
        import keras

        keras.utils.set_random_seed(self.seed)
        return build_keras(TRIAL)

    def _pretrained(self, network: Any, row: str) -> float:
        recipe = self._recipe(objective=row, steps=self.pretraining)
        objective, _ = prepare(network, TRIAL, recipe, self.material.mixtures, given=False)
        run = Run(recipe, TRIAL, network, objective, self.before / row)
        run.run()
        with run.averaged():
            kept = collect(network)
        assign(network, kept)
        return run.cpu_s

    def _taught(self) -> list[Song]:
        """Stems estimated by the run from scratch, and the labelled songs, equally often."""
        weights, _ = read_weights(self.folder / SCRATCH / WEIGHTS_FILE)
        teacher = Separator(TRIAL, weights)
        made = [_stems(teacher, song) for song in self.material.mixtures]
        often = max(len(made) // len(self.labelled), 1)
        return [*self.labelled * often, *made]

    def _separation(
        self, row: str, network: Any, songs: Sequence[Song], *, adapt: bool, steps: int = 0
    ) -> Run:
        recipe = self._recipe(steps=steps or self.steps)
        task = Separation(Library.of(songs, TRIAL.stems), TRIAL, recipe)
        return Run(recipe, TRIAL, network, task, self.folder / row, adapt=adapt)

    def _scratch(self) -> dict[str, float]:
        """``cpu_s`` and ``gain`` of the run from scratch after the labelled steps; trained once."""
        points = self._points()
        if not points:
            run = self._separation(SCRATCH, self._network(), self.labelled, adapt=True)
            run.run()
            with run.averaged():
                write_weights(run.folder / WEIGHTS_FILE, collect(run.network), {}, bits=32)
            points = [{"cpu_s": run.cpu_s, "gain": self._scored(run)}]
            (self.folder / POINTS).write_text(json.dumps(points))
        return points[0]

    def _scratch_after(self, cpu_s: float) -> float:
        """The gain of the run from scratch after `cpu_s` processor seconds.

        The run is continued to that time and scored there; gains in between are interpolated.
        """
        points = self._points()
        if cpu_s > points[-1]["cpu_s"]:
            run = self._separation(SCRATCH, self._network(), self.labelled, adapt=True, steps=10**6)
            while run.cpu_s < cpu_s:
                run.advance()
            run.save()
            points.append({"cpu_s": run.cpu_s, "gain": self._scored(run)})
            (self.folder / POINTS).write_text(json.dumps(points))
        seconds, found = ([point[name] for point in points] for name in ("cpu_s", "gain"))
        return float(np.interp(cpu_s, seconds, found))

    def _points(self) -> list[dict[str, float]]:
        path = self.folder / POINTS
        points: list[dict[str, float]] = json.loads(path.read_text()) if path.is_file() else []
        return points

    def _scored(self, run: Run) -> float:
        with run.averaged():
            separator = Separator(TRIAL, collect(run.network))
        return gains(separator, TRIAL.stems, self.material.test, _score)["mean"]


def _score(references: Any, estimates: Any) -> dict[str, float]:
    return si_sdr(dict(references), estimates)


def _stems(teacher: Separator, song: Song) -> Song:
    def separated() -> Mapping[str, np.ndarray]:
        mixture = song()[MIXTURE].astype(np.float32) / 32768.0
        stems = teacher.separate(mixture, RATE)
        return {name: np.round(32767.0 * s).astype(np.int16) for name, s in stems.items()}

    return cache(separated)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--songs", default=",".join(map(str, COUNTS)))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000, help="labelled steps of every run")
    parser.add_argument("--pretraining", type=int, default=2000, help="steps without stems")
    parser.add_argument("--unlabelled", type=int, default=100, help="songs without stems")
    parser.add_argument("--test", type=int, help="at most so many test songs")
    parser.add_argument("--precision", default="float32", help="of training; as in a recipe")
    parser.add_argument("--out", type=Path, default=Path("runs/learning"))
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    rows = arguments.rows.split(",")
    counts = [int(count) for count in arguments.songs.split(",")]
    unknown = sorted(set(rows) - set(ROWS))
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    set_precision(arguments.precision)
    material = Material.of(arguments.material, arguments.unlabelled, arguments.test)
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept = arguments.out / "cells.json"
    cells = [Cell(**cell) for cell in json.loads(kept.read_text())] if kept.is_file() else []
    for seed in range(arguments.seeds):
        for count in counts:
            for row in rows:
                if any((c.row, c.songs, c.seed) == (row, count, seed) for c in cells):
                    continue
                trial = Trial(
                    material, count, seed, arguments.steps, arguments.pretraining, arguments.out
                )
                cells.append(trial.run(row))
                kept.write_text(json.dumps([cell.described() for cell in cells], indent=1) + "\n")
                table = markdown(cells, ROWS, COUNTS)
                write_page(arguments.page, table)
                print(f"{row}, {count} songs, seed {seed}: {cells[-1]}", flush=True)
    print(markdown(cells, rows, counts))


if __name__ == "__main__":
    main()
