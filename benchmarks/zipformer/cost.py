"""Speed, memory and latency, with random weights: the cost does not depend on them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from spleeter_keras import Separator as Spleeter
from spleeter_keras.architecture import VARIANTS as SPLEETER
from spleeter_keras.architecture import variable_shapes
from zipformer_keras import VARIANTS, Separator, latency_samples

from benchbench.io.processes.scratch import scratch_folder
from benchbench.separation.workers.worker import peak_rss
from benchmarks.zipformer.common import RATE, ROOT, write_random


def cost(separate: Callable[[], object], repeat: int = 3) -> tuple[float, float]:
    """Lowest wall and processor seconds of several runs, after a warm-up run."""
    separate()
    walls, cpus = [], []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        separate()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def speed(arguments: argparse.Namespace) -> dict[str, object]:
    """`base` and `tiny` against Spleeter's four networks, random weights, the same noise."""
    rng = np.random.default_rng(0)
    song = (rng.standard_normal((2, int(arguments.seconds * RATE))) / 10).astype(np.float32)
    shapes = variable_shapes(SPLEETER["4stems"])
    drawn = (
        (name, (0.05 * np.abs(rng.standard_normal(shape))).astype(np.float32))
        for name, shape in shapes.items()
    )
    spleeter = Spleeter(SPLEETER["4stems"], drawn)
    sides: dict[str, tuple[int, Callable[[], object]]] = {
        "spleeter:4stems": (
            spleeter.parameters,
            lambda: [None for _ in spleeter.stream(song, RATE)],
        )
    }
    with scratch_folder() as scratch:
        for variant in ("tiny", "base"):
            write_random(variant, scratch / variant)
            separator = Separator.from_folder(variant, scratch / variant)
            sides[f"zipformer:{variant}"] = (
                separator.parameters,
                lambda separator=separator: [None for _ in separator.blocks(song, RATE)],
            )
        result = {}
        for name, (parameters, separate) in sides.items():
            wall, cpu = cost(separate)
            result[name] = {"parameters": parameters, "wall_s": wall, "cpu_s": cpu}
            print(
                f"  {name:16} {parameters / 1e6:6.2f}M parameters  {arguments.seconds:.0f} s of "
                f"music: {wall:.2f} s, {cpu:.2f} s of processor, "
                f"{arguments.seconds / wall:.0f} x real time",
                flush=True,
            )
    return result


def memory(arguments: argparse.Namespace) -> dict[str, object]:
    """Peak memory of a process that separates 3 and 20 minutes, in blocks."""
    result = {}
    with scratch_folder() as scratch:
        for variant in arguments.variants:
            write_random(variant, scratch / variant)
            for minutes in (0, 3, 20):
                song = scratch / "song.npy"
                shape = (2, max(int(minutes * 60 * RATE), 1))
                mapped = np.lib.format.open_memmap(song, "w+", np.float32, shape)
                mapped[:] = 0.1
                del mapped
                here = [variant, str(scratch / variant), str(song)]
                code = f"import sys; from {__spec__.name} import peak; print(peak(*sys.argv[1:]))"
                told = subprocess.run(
                    [sys.executable, "-c", code, *here],
                    check=True, capture_output=True, text=True,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *sys.path)))},
                )  # fmt: skip
                result[f"{variant}, {minutes} min"] = float(told.stdout.split()[-1])
                print(f"  {variant:16} {minutes:3} min  {told.stdout.split()[-1]} MB", flush=True)
    return result


def peak(variant: str, weights: str, song: str) -> float:
    """Separate a file block by block in this process; returns its peak memory in MB."""
    separator = Separator.from_folder(variant, weights)
    for _ in separator.blocks(np.load(song, mmap_mode="r"), RATE):
        pass
    return round((peak_rss() or 0) / 1e6)


def live(arguments: argparse.Namespace) -> dict[str, object]:
    """Latency and time per block of the live variants."""
    result = {}
    rng = np.random.default_rng(0)
    with scratch_folder() as scratch:
        for variant in ("tiny-live", "base-live", "base-lowlatency"):
            write_random(variant, scratch / variant)
            separator = Separator.from_folder(variant, scratch / variant)
            configuration = VARIANTS[variant]
            size = (configuration.chunk or 1) * configuration.step
            song = (rng.standard_normal((2, int(arguments.seconds * RATE))) / 10).astype(np.float32)
            put, got, waited, times = 0, 0, 0, []
            arrived: list[int] = []
            stream = separator.stream(_counted(song, configuration.step, arrived.append), RATE)
            begin = time.perf_counter()
            for block in stream:
                times.append(time.perf_counter() - begin)
                put = sum(arrived)
                waited = max(waited, put - got)
                got += block["vocals"].shape[1]
                begin = time.perf_counter()
            length = size / RATE
            times = sorted(times[2:])
            facts = {
                "latency_ms": 1000 * latency_samples(configuration) / RATE,
                "measured_latency_ms": 1000 * waited / RATE,
                "block_ms": 1000 * length,
                "median_ms": 1000 * times[len(times) // 2],
                "p99_ms": 1000 * times[int(len(times) * 0.99)],
                "rtf": float(np.mean(times)) / length,
            }
            result[variant] = facts
            told = ", ".join(f"{key} {value:.3g}" for key, value in facts.items())
            print(f"  {variant:16} {told}", flush=True)
    return result


def _counted(song: np.ndarray, size: int, tell: Callable[[int], None]) -> Iterator[np.ndarray]:
    for start in range(0, song.shape[1], size):
        block = song[:, start : start + size]
        tell(block.shape[1])
        yield block
