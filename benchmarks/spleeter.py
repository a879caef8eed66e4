"""Our Spleeter against the original: difference, time, memory.

::

    tox -e spleeter-original
    python benchmarks/spleeter.py --original .tox/spleeter-original/bin/python \\
        --weights PATH/2stems [--songs long]

The original runs in a separate environment, on arrays, because its audio reader needs an ffmpeg
program. Both are timed in turns, so that other load affects both alike; ratios are more reliable
than seconds. Without ``--weights`` (the folder of the published 2stems checkpoint) every variant
gets random weights with random statistics. Processor seconds are summed over all threads: they
measure the cost of a computation on a machine that is not idle.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
RATE = 44_100
VARIANTS = ("2stems", "2stems-16kHz", "4stems", "4stems-16kHz", "5stems", "5stems-16kHz")


@dataclass(frozen=True)
class Side:
    """One of the two compared implementations."""

    name: str
    interpreter: str
    script: Path

    def run(self, models: Path, jobs: list[dict[str, object]], folder: Path) -> list[dict]:
        """Run jobs in one fresh process; returns their results, and the total time."""
        listed = folder / f"{self.name}.json"
        listed.write_text(json.dumps(jobs))
        started = time.perf_counter()
        finished = subprocess.run(
            # Isolated mode, because this file would shadow the package of the same name.
            [self.interpreter, "-I", str(self.script), str(models), str(listed)],
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - started
        if finished.returncode:
            raise RuntimeError(f"{self.name} failed:\n{finished.stderr[-3000:]}")
        lines = [line for line in finished.stdout.splitlines() if line.startswith("RESULT ")]
        results = [json.loads(line.removeprefix("RESULT ")) for line in lines]
        return [result | {"process_s": wall} for result in results]


def job(variant: str, source: Path, output: Path | None, *, repeat: int = 1, mwf: bool = False):
    return {
        "variant": variant,
        "mwf": mwf,
        "input": str(source),
        "output": None if output is None else str(output),
        "repeat": repeat,
    }


def music(seconds: float, seed: int = 0) -> np.ndarray:
    """Music-like audio: decaying harmonic notes, noise bursts on the beat, panned."""
    rng = np.random.default_rng(seed)
    length = int(seconds * RATE)
    out = np.zeros((2, length), np.float32)
    for _ in range(int(8 * seconds) + 1):
        start = int(rng.integers(max(length - 1, 1)))
        count = min(int(RATE * rng.uniform(0.2, 1.5)), length - start)
        t = np.arange(count) / RATE
        pitch = 55 * 2 ** (rng.integers(0, 60) / 12)
        note = sum(np.sin(2 * np.pi * pitch * h * t) / h for h in range(1, 9))
        if rng.random() < 0.3:
            note = rng.standard_normal(count)
        pan = rng.uniform(0.2, 0.8)
        note = note * np.exp(-t * rng.uniform(2, 8)) * rng.uniform(0.05, 0.3)
        out[:, start : start + count] += np.outer([pan, 1 - pan], note).astype(np.float32)
    return out / max(float(np.abs(out).max()), 1e-9)


def inputs(folder: Path) -> dict[str, Path]:
    """Cases in which a port is most likely to differ, all with a peak of at most 1."""
    song = music(20)
    silent = song.copy()
    silent[:, 5 * RATE : 12 * RATE] = 0
    cases = {
        "song": song,
        "mono": song[:1, : 6 * RATE],
        "silence inside": silent,
        "one segment": song[:, : 512 * 1024 - 4096],
        "0.3 s": song[:, : 3 * RATE // 10],
        "clipped": np.clip(4 * song[:, : 13 * RATE], -1, 1),
    }
    return {name: store(folder / f"{i}.npy", case) for i, (name, case) in enumerate(cases.items())}


def store(path: Path, samples: np.ndarray) -> Path:
    np.save(path, samples.astype(np.float32))
    return path


def random_models(folder: Path, variants: Iterable[str]) -> None:
    """Checkpoints in which every statistic is random, for the original and for ours."""
    sys.path.insert(0, str(HERE.parent / "adapters" / "spleeter"))
    from spleeter_keras.architecture import VARIANTS as KNOWN
    from spleeter_keras.architecture import variable_shapes
    from spleeter_keras.checkpoint import write_checkpoint

    for variant in variants:
        rng = np.random.default_rng(len(KNOWN[variant].stems))
        weights = {}
        for name, shape in variable_shapes(KNOWN[variant]).items():
            if name.endswith(("gamma", "moving_variance")):
                values = rng.uniform(0.5, 1.5, shape)
            elif name.endswith("kernel"):
                fan = np.prod(shape) / shape[2 if "transpose" in name else 3]
                values = rng.standard_normal(shape) * np.sqrt(1 / fan)
            else:
                values = 0.1 * rng.standard_normal(shape)
            weights[name] = values.astype(np.float32)
        write_checkpoint(folder / variant, weights)
        (folder / variant / ".probe").touch()


def published_models(folder: Path, weights: Path) -> None:
    (folder / "2stems").mkdir(parents=True)
    for path in weights.iterdir():
        if path.is_file():
            shutil.copy(path, folder / "2stems")
    (folder / "2stems" / ".probe").touch()


def difference(ours: Path, original: Path) -> tuple[float, float]:
    """Largest difference of any stem, and the largest sample of the original."""
    with np.load(ours) as left, np.load(original) as right:
        if set(left.files) != set(right.files):
            raise RuntimeError(f"Stems differ: {left.files}, {right.files}.")
        pairs = []
        for name in left.files:
            there = right[name]
            if left[name].shape[0] == 1:
                there = there.mean(axis=0, keepdims=True)
            pairs.append((np.abs(left[name] - there).max(), np.abs(there).max()))
    return float(max(d for d, _ in pairs)), float(max(p for _, p in pairs))


def compare_outputs(sides: tuple[Side, Side], models: Path, variants: Iterable[str], folder: Path):
    """Yield (variant, case, largest difference) for all cases."""
    cases = inputs(folder)
    for variant in variants:
        outputs = []
        for side in sides:
            files = [folder / f"{side.name}-{i}.npz" for i in range(len(cases))]
            todo = [job(variant, s, f) for s, f in zip(cases.values(), files, strict=True)]
            side.run(models, todo, folder)
            outputs.append(files)
        for name, ours, original in zip(cases, *outputs, strict=True):
            yield variant, name, difference(ours, original)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--original", required=True, help="Python that has spleeter 2.4.2")
    parser.add_argument("--weights", type=Path, help="folder of the published 2stems checkpoint")
    parser.add_argument("--seconds", type=int, nargs="*", default=[30, 180], help="song lengths")
    parser.add_argument("--long", type=int, default=1200, help="length that only ours separates")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--skip-differences", action="store_true")
    arguments = parser.parse_args()
    ours = Side("ours", sys.executable, HERE / "spleeter_ours.py")
    original = Side("original", arguments.original, HERE / "spleeter_original.py")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        random_models(folder / "random", ("2stems", "4stems", "5stems"))
        models = folder / "random"
        if arguments.weights:
            models = folder / "published"
            published_models(models, arguments.weights)
        if not arguments.skip_differences:
            show_differences(ours, original, folder, bool(arguments.weights))
        show_times(ours, original, models, folder, arguments)


def show_differences(ours: Side, original: Side, folder: Path, published: bool) -> None:
    print("| weights | variant | input | largest difference | peak of the stems |")
    print("|---|---|---|---|---|")
    kinds = [("random", VARIANTS)] + ([("published", VARIANTS[:2])] if published else [])
    for kind, variants in kinds:
        found = compare_outputs((ours, original), folder / kind, variants, folder)
        for variant, case, (largest, peak) in found:
            print(f"| {kind} | {variant} | {case} | {largest:.1e} | {peak:.2f} |", flush=True)


def show_times(
    ours: Side, original: Side, models: Path, folder: Path, arguments: argparse.Namespace
) -> None:
    print("\n| song | what | original | ours | ratio |\n|---|---|---|---|---|")
    for seconds in arguments.seconds:
        tiled = np.tile(music(30), (1, -(-seconds // 30)))[:, : seconds * RATE]
        source = store(folder / "timed.npy", tiled)
        taken: dict[tuple[str, str], list[float]] = {}
        for _ in range(arguments.repeat):
            for side in (original, ours):
                output = folder / f"timed-{side.name}{'.npz' if side is original else ''}"
                (cold,) = side.run(models, [job("2stems", source, output)], folder)
                (warm,) = side.run(models, [job("2stems", source, None, repeat=2)], folder)
                for what, value in (
                    ("cold, s", cold["process_s"]),
                    ("cold, s of processor", cold["cpu_all"]),
                    ("warm, s", min(warm["seconds"][1:])),
                    ("warm, s of processor", min(warm["cpu"][1:])),
                    ("peak memory, MB", cold["peak_mb"]),
                ):
                    taken.setdefault((what, side.name), []).append(value)
        for what in dict.fromkeys(what for what, _ in taken):
            there, here = min(taken[what, "original"]), min(taken[what, "ours"])
            print(f"| {seconds} s | {what} | {there:.2f} | {here:.2f} | {there / here:.1f} |")
    if arguments.long:
        long = np.tile(music(30), (1, arguments.long // 30))
        source = store(folder / "long.npy", long)
        (result,) = ours.run(models, [job("2stems", source, folder / "long")], folder)
        print(f"| {arguments.long} s | cold, s | | {result['process_s']:.2f} | |")
        print(f"| {arguments.long} s | peak memory, MB | | {result['peak_mb']:.0f} | |")


if __name__ == "__main__":
    main()
