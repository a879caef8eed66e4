"""Run this project's Spleeter on arrays, as `spleeter_original` runs the original.

Stems are written block by block (``.f32``, samples by channels), or, if an ``.npz`` is requested,
kept in memory and written at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "adapters" / "spleeter"))

import numpy as np
from spleeter_keras import Separator


def peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1000
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main(models: Path, jobs: Path) -> None:
    separators = {}
    for job in json.loads(jobs.read_text()):
        key = (job["variant"], job["mwf"], job.get("runtime", "auto"))
        if key not in separators:
            folder = models / job["variant"].removesuffix("-16kHz")
            separators[key] = Separator.from_folder(key[0], folder, mwf=key[1], runtime=key[2])
        mixture = np.load(job["input"], mmap_mode="r")
        seconds, processor = [], []
        for _ in range(job["repeat"]):
            started, begun = time.perf_counter(), time.process_time()
            if job["output"] and job["output"].endswith(".npz"):
                np.savez(job["output"], **separators[key].separate(mixture, 44_100))
            else:
                stream(separators[key], mixture, job["output"])
            seconds.append(time.perf_counter() - started)
            processor.append(time.process_time() - begun)
        result = {"seconds": seconds, "cpu": processor, "peak_mb": peak_mb()}
        print("RESULT " + json.dumps(result | {"cpu_all": time.process_time()}), flush=True)


def stream(separator: Separator, mixture: np.ndarray, output: str | None) -> None:
    with contextlib.ExitStack() as stack:
        names = separator.configuration.stems if output is not None else ()
        files = {
            name: stack.enter_context(Path(f"{output}.{name}.f32").open("wb")) for name in names
        }
        for block in separator.stream(mixture, 44_100):
            for name, file in files.items():
                file.write(np.ascontiguousarray(block[name].T))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
