"""Measured cost of the metrics, and their agreement with their peers.

    python benchmarks/metrics.py                  everything (a quarter of an hour)
    python benchmarks/metrics.py agreement v3     some parts
    python benchmarks/metrics.py speed --seconds 30 --threads 1
    python benchmarks/metrics.py each --seconds 180        CPU seconds of every protocol, one after the other
    python benchmarks/metrics.py sisec18 --checkout DIR    import of the repository of SiSEC 2018
    python benchmarks/metrics.py plot             the cost against length, docs/img/metrics-cost.svg

Every timing is of a cold process, from its start to its end, reading the same files; ours and the
peer's run one after the other. CPU seconds are printed beside wall seconds because they depend less
on other load. The audio is the example track of stempeg, repeated to the requested length and
quantised to 16 bit as in the published evaluations.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RATE = 44_100
STEMS = ("drums", "bass", "other", "vocals")
PARTS = ("agreement", "speed", "further", "together", "v3", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "each", "sisec18", "plot", "worker"])
    parser.add_argument("--seconds", type=int, nargs="+", default=[30, 240])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--checkout", type=Path, help="A checkout of sigsep-mus-2018.")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.parts == ["worker"]:
        worker(args.job, args.folder, args.threads[0])
        return
    with tempfile.TemporaryDirectory(prefix="metrics-") as folder:
        for part in args.parts or PARTS:
            print(f"\n## {part}\n", flush=True)
            globals()[part](Path(folder), args)


def music(seconds: float) -> dict[str, np.ndarray]:
    """Stems of the example track, float32 of shape (2, samples) on the grid of 16 bits."""
    import av

    package = importlib.util.find_spec("stempeg")
    assert package is not None
    assert package.origin is not None
    (path,) = Path(package.origin).parent.rglob("*.stem.mp4")
    samples = int(seconds * RATE)
    rng = np.random.default_rng(0)
    stems = {}
    for index, name in enumerate(STEMS, start=1):
        with av.open(str(path)) as container:
            frames = container.decode(container.streams.audio[index])
            audio = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
        audio = np.tile(audio, -(-samples // audio.shape[1]))[:, :samples]
        dithered = audio * 32767 + rng.random(audio.shape) - 0.5
        stems[name] = (np.round(np.clip(dithered, -32768, 32767)) / 32768).astype(np.float32)
    return stems


def separated(stems: dict[str, np.ndarray], leak: float = 0.1) -> dict[str, np.ndarray]:
    """Estimates with typical errors: bleed from the mixture, less treble, and noise."""
    mixture = sum(stems.values())
    rng = np.random.default_rng(1)
    out = {}
    for name, stem in stems.items():
        estimate = 0.7 * stem + 0.2 * np.roll(stem, 1, axis=1) + leak * mixture
        out[name] = (estimate + 1e-4 * rng.standard_normal(stem.shape)).astype(np.float32)
    return out


def prepare(folder: Path, seconds: int) -> Path:
    """Write references and two models' estimates of the given length; returns their folder."""
    place = folder / str(seconds)
    if not place.exists():
        place.mkdir()
        references = music(seconds)
        for kind, stems in (
            ("references", references),
            ("estimates", separated(references)),
            ("second", separated(references, 0.3)),
        ):
            np.save(place / f"{kind}.npy", np.stack(list(stems.values())))
    return place


def load(folder: Path, kind: str) -> dict[str, np.ndarray]:
    return dict(zip(STEMS, np.load(folder / f"{kind}.npy"), strict=True))


def measured(job: str, folder: Path, threads: int = 1) -> dict[str, float]:
    """Run one job in a cold process: wall and CPU seconds, peak memory in MB, printed figures."""
    command = [sys.executable, __file__, "worker", "--job", job, "--folder", str(folder)]
    command += ["--threads", str(threads)]
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **dict.fromkeys(names, str(threads))}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"The job {job!r} failed.")
    answer: dict[str, float] = json.loads(printed or b"{}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall": wall, "cpu": cpu, **answer}


def worker(job: str, folder: Path, threads: int) -> None:
    """Run a job in a measured process."""
    references, estimates = load(folder, "references"), load(folder, "estimates")
    if job.startswith("museval"):
        from benchbench.scoring.reference_programs import _museval_metrics

        stacked = [
            np.stack([stem.T for stem in stems.values()]) for stems in (references, estimates)
        ]
        refit = job == "museval-v3"
        _museval_metrics().bss_eval(*stacked, window=RATE, hop=RATE, framewise_filters=refit)
        return
    from benchbench import metrics
    from benchbench.metrics.references import CACHE_BYTES, References

    first, *rest = job.split("+")
    names = first.split(",")
    cache = CACHE_BYTES if rest else 0  # as `metrics.evaluate` sets it for arrays
    held = References(references, RATE, threads=threads, cache_bytes=cache)
    times = [timed(lambda: metrics.evaluate(held, estimates, names))]
    for kind in rest:
        another = load(folder, kind)
        times.append(timed(lambda stems=another: metrics.evaluate(held, stems, names)))
    answer = {f"model_{i}": seconds for i, seconds in enumerate(times)}
    print(json.dumps({**answer, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Peak resident memory of this process; getrusage would count the parent's before the exec."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / 1024


def timed(work: Any) -> float:
    """CPU seconds, which on one thread equal the wall seconds of an idle machine."""
    start = time.process_time()
    work()
    return time.process_time() - start


def table(header: list[str], rows: Iterable[list[Any]]) -> None:
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


def agreement(folder: Path, _args: argparse.Namespace) -> None:
    """Largest differences from the peers on music."""
    from benchbench import metrics
    from benchbench.metrics.references import References
    from benchbench.scoring import verification

    rows = []
    for protocol, seconds in (
        ("bsseval-v4", 8),
        ("bsseval-v3", 2),
        ("bsseval-sources", 4),
        ("bsseval-sources-permuted", 4),
        ("usdr", 8),
        ("si", 8),
    ):
        place = prepare(folder, seconds)
        references, estimates = load(place, "references"), load(place, "estimates")
        scores = metrics.evaluate(References(references, RATE), estimates, [protocol])[protocol]
        case = verification.Case(
            "", protocol, scores, lambda r=references, e=estimates: (r, e, RATE)
        )
        rows += [
            [protocol, one.metric, f"{one.largest:.1e}", f"{one.tolerance:.0e}",
             one.compared, one.set_aside, "yes" if one.same_gaps else "NO"]
            for one in verification.verify_scores([case])
        ]  # fmt: skip
    table(["protocol", "metric", "largest", "bar", "values", "set aside", "same gaps"], rows)


def speed(folder: Path, args: argparse.Namespace) -> None:
    """bsseval-v4 against museval."""
    header = ["length", "threads", "ours wall s", "museval wall s", "ratio"]
    table([*header, "ours CPU s", "museval CPU s", "CPU ratio"], speeds(folder, args))


def speeds(folder: Path, args: argparse.Namespace) -> Iterator[list[Any]]:
    """One row per length and number of threads, as soon as it is measured."""
    for seconds in args.seconds:
        place = prepare(folder, seconds)
        for threads in args.threads:
            ours = min(
                (measured("bsseval-v4", place, threads) for _ in range(3)), key=lambda m: m["wall"]
            )
            peer = measured("museval", place, threads)
            yield [
                f"{seconds} s",
                threads,
                f"{ours['wall']:.2f}",
                f"{peer['wall']:.1f}",
                f"{peer['wall'] / ours['wall']:.1f}",
                f"{ours['cpu']:.2f}",
                f"{peer['cpu']:.1f}",
                f"{peer['cpu'] / ours['cpu']:.1f}",
            ]


def further(folder: Path, args: argparse.Namespace) -> None:
    """A second and third model on the same references, in the same process."""
    rows = []
    for seconds in args.seconds:
        place = prepare(folder, seconds)
        found = measured("bsseval-v4+second+estimates", place)
        first, more = found["model_0"], min(found["model_1"], found["model_2"])
        rows.append([f"{seconds} s", f"{first:.2f}", f"{more:.2f}", f"{more / first:.2f}"])
    table(["length", "first model CPU s", "further model CPU s", "ratio"], rows)


def together(folder: Path, args: argparse.Namespace) -> None:
    """Several protocols in one call against bsseval-v4 alone."""
    sharing = "usdr,bsseval-v4,bsseval-v4-active,bsseval-sources,bsseval-sources-permuted,si"
    everything = f"{sharing},windows,bleed,bands-octave,bands-third,bands-mel"
    sets = {
        "bsseval-v4": "bsseval-v4",
        "standard": "standard",
        "all that share its statistics": f"{sharing},windows,bleed",
        "the same and all bands": everything,
        "the same and logwmse": f"{everything},logwmse",
        "the same and spectral, so all but bsseval-v3": f"{everything},logwmse,spectral",
        "all": "all",
    }
    rows = []
    for seconds in args.seconds[:1]:
        place = prepare(folder, seconds)
        found = {
            name: min((measured(job, place) for _ in range(2)), key=lambda m: m["cpu"])
            for name, job in sets.items()
        }
        alone = found["bsseval-v4"]
        rows += [
            [f"{seconds} s", name, f"{one['wall']:.2f}", f"{one['cpu']:.2f}",
             f"{one['cpu'] / alone['cpu']:.2f}"]
            for name, one in found.items()
        ]  # fmt: skip
    table(["length", "protocols", "wall s", "CPU s", "CPU ratio"], rows)


def each(folder: Path, args: argparse.Namespace) -> None:
    """Every protocol on one track, in one process: each reuses values that earlier ones computed."""
    from benchbench import metrics
    from benchbench.metrics.evaluation import Evaluation
    from benchbench.metrics.references import References

    rows = []
    for seconds in args.seconds:
        place = prepare(folder, seconds)
        references = References(load(place, "references"), RATE)
        # The first of several protocols that share a pass pays for all of them.
        evaluation = Evaluation(references, load(place, "estimates"), metrics.PROTOCOLS)
        costs = {
            name: timed(partial(protocol.evaluate, references, evaluation))
            for name, protocol in metrics.PROTOCOLS.items()
        }
        rows += [[f"{seconds} s", name, f"{cost:.2f}"] for name, cost in costs.items()]
        rows.append([f"{seconds} s", "together", f"{sum(costs.values()):.2f}"])
    table(["length", "protocol", "CPU s"], rows)


def sisec18(folder: Path, args: argparse.Namespace) -> None:
    """Wall seconds and peak memory of the import of SiSEC 2018, in a separate process."""
    import resource

    if args.checkout is None:
        raise SystemExit("Name a checkout of sigsep-mus-2018: --checkout DIR")
    command = ["import", "sisec18", str(args.checkout), "--results", str(folder / "results")]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "benchbench", *command], check=True)
    wall = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    table(["wall s", "peak MB"], [[f"{wall:.1f}", f"{peak:.0f}"]])


def v3(folder: Path, _args: argparse.Namespace) -> None:
    """Filters refitted in every frame, against museval's mode v3 and mir_eval."""
    place = prepare(folder, 4)
    ours, peer = measured("bsseval-v3", place), measured("museval-v3", place)
    frame = ours["model_0"] / 4
    rows = [[f"{frame:.3f}", f"{peer['cpu'] / 4:.2f}", f"{peer['cpu'] / ours['cpu']:.1f}",
             f"{peer['cpu'] / 4 / frame:.1f}"]]  # fmt: skip
    table(["ours CPU s/frame", "museval CPU s/frame", "ratio, cold process", "ratio a frame"], rows)


def memory(folder: Path, args: argparse.Namespace) -> None:
    """Peak resident memory of a cold process, inputs and interpreter included."""
    rows = []
    for seconds in args.seconds:
        place = prepare(folder, seconds)
        inputs = 2 * (place / "references.npy").stat().st_size / 2**20
        for job in ("bsseval-v4", "standard", "all"):
            peak = measured(job, place, args.threads[-1])["peak_mb"]
            rows.append(
                [f"{seconds} s", job, f"{inputs:.0f}", f"{peak:.0f}", f"{peak - inputs:.0f}"]
            )
    table(["length", "protocols", "inputs MB", "peak MB", "beyond inputs MB"], rows)


def plot(folder: Path, args: argparse.Namespace) -> None:
    """Cost against length, for museval and ours, as an SVG for the documentation."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    lengths = sorted({5, 15, 30, 60, 120, *args.seconds})
    lengths = [seconds for seconds in lengths if seconds <= max(args.seconds)]
    curves: dict[str, list[float]] = {"museval 0.4.1": [], "benchbench, first model": []}
    curves["benchbench, each further model"] = []
    for seconds in lengths:
        place = prepare(folder, seconds)
        ours = measured("bsseval-v4+second", place)
        curves["benchbench, first model"].append(ours["model_0"])
        curves["benchbench, each further model"].append(ours["model_1"])
        curves["museval 0.4.1"].append(measured("museval", place)["cpu"])
        for name in ("references", "estimates", "second"):
            (place / f"{name}.npy").unlink()
        place.rmdir()
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for (name, costs), colour in zip(
        curves.items(), ("#555555", "#0a6ebd", "#6cb4ee"), strict=True
    ):
        axes.loglog(lengths, costs, "o-", color=colour, label=name)
        print(name, [round(cost, 2) for cost in costs])
    axes.set_xticks(lengths, [str(seconds) for seconds in lengths])
    axes.minorticks_off()
    axes.set_xlabel("length of the track in seconds")
    axes.set_ylabel("CPU seconds")
    axes.set_title("BSS Eval 4, four stereo stems at 44.1 kHz")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    mpl.rcParams["svg.hashsalt"] = "benchbench"
    target = ROOT / "docs" / "img" / "metrics-cost.svg"
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None})
    print(f"written to {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
