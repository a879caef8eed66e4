"""Run the original Spleeter on arrays; started with the interpreter of its environment.

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
        # For arrays it ignores the option passed to its constructor.
        separator._params["MWF"] = job["mwf"]
        separators[key] = separator
    mixture = np.load(job["input"]).T
    seconds, processor = [], []
    for _ in range(job["repeat"]):
        started, begun = time.perf_counter(), time.process_time()
        stems = separators[key].separate(mixture)
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - begun)
    if job["output"]:
        np.savez(job["output"], **{name: stem.T for name, stem in stems.items()})
    result = {"seconds": seconds, "cpu": processor, "peak_mb": peak_mb()}
    print("RESULT " + json.dumps(result | {"cpu_all": time.process_time()}), flush=True)
