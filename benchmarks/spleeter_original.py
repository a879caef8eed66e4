"""Run the original Spleeter on arrays; started with the interpreter of its own environment.

Usage: ``python spleeter_original.py MODELS JOBS``. `MODELS` holds a folder of weights for each
variant; `JOBS` is a JSON list of objects with ``variant``, ``mwf``, ``input`` (a ``.npy`` of
float32 (channels, samples)), ``output`` (an ``.npz`` to write, or null) and ``repeat``. For each
job one line of JSON is printed: the seconds of every repetition and the peak memory so far.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["MODEL_PATH"] = sys.argv[1]

import numpy as np
from spleeter.separator import Separator


def peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


separators = {}
for job in json.loads(Path(sys.argv[2]).read_text()):
    key = (job["variant"], job["mwf"])
    if key not in separators:
        separator = Separator("spleeter:" + job["variant"], MWF=job["mwf"], multiprocess=False)
        # For arrays it forgets the option that its constructor was given.
        separator._params["MWF"] = job["mwf"]
        separators[key] = separator
    mixture = np.load(job["input"]).T
    seconds = []
    for _ in range(job["repeat"]):
        started = time.perf_counter()
        stems = separators[key].separate(mixture)
        seconds.append(time.perf_counter() - started)
    if job["output"]:
        np.savez(job["output"], **{name: stem.T for name, stem in stems.items()})
    print("RESULT " + json.dumps({"seconds": seconds, "peak_mb": peak_mb()}), flush=True)
