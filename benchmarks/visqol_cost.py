"""Cost of ViSQOL besides the default group: CPU seconds and memory for four 3-minute stems.

::

    python -m benchmarks.visqol_cost --seconds 180
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import psutil
from scipy import signal

from benchbench.metrics.references import References
from benchbench.metrics.scores import evaluate
from benchbench.scoring.metric_folders import resolve_metrics

RATE = 44100


def stems(seconds: float) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Four stems of coloured noise with varying level, and estimates with bleed."""
    rng = np.random.default_rng(0)
    samples = round(seconds * RATE)
    swell = 0.6 + 0.4 * np.sin(np.arange(samples) / RATE)
    true = {}
    for number, name in enumerate(("vocals", "drums", "bass", "other")):
        colour = [1.0, 0.9 * np.cos(number + 1), 0.4]
        noise = signal.lfilter([1.0], colour, rng.standard_normal((2, samples)))
        true[name] = (0.05 * noise * swell).astype(np.float32)
    mixture = np.sum(list(true.values()), axis=0)
    return true, {name: audio + 0.1 * (mixture - audio) for name, audio in true.items()}


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, who))


def peak_mb(process: psutil.Process) -> float:
    """The peak resident memory of a process, as reported by Linux."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print both costs and their ratio, and the largest memory of the metric's process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    seconds = parser.parse_args().seconds
    true, made = stems(seconds)
    costs = {}
    peak = 0.0
    for name in ("report", "visqol"):
        references = References(true, RATE)
        protocols = resolve_metrics([name])
        before, start = cpu(), time.perf_counter()
        evaluate(references, made, RATE, list(protocols))
        if name == "visqol":
            from benchbench.scoring import metric_process

            peak = max(map(peak_mb, psutil.Process().children(recursive=True)))
            for process in metric_process._processes.values():
                process.close()  # so that its CPU time counts
        costs[name] = cpu() - before
        print(f"{name}: {costs[name]:.1f} CPU s, {time.perf_counter() - start:.1f} s")
    ratio = (costs["report"] + costs["visqol"]) / costs["report"]
    each = costs["visqol"] / len(true) / seconds
    print(f"report + visqol: {ratio:.2f} times report (bar 2)")
    print(f"visqol: {each:.3f} times real time per stem (bar 0.3), at most {peak:.0f} MB (bar 500)")


if __name__ == "__main__":
    main()
