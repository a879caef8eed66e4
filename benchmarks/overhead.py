"""Cost of the engine apart from separating and scoring, and the driver's memory against tracks.

::

    python -m benchmarks overhead
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measuring import Figure, from_json, measured

RUN = """
import json, sys
from pathlib import Path
import benchbench
from benchbench.running.events import Started
import time
first = []
def listen(event):
    if isinstance(event, Started) and not first:
        first.append(time.perf_counter())
done = benchbench.run(sys.argv[1].split(","), "demo", out=Path(sys.argv[2]), report=False,
                      listener=listen, metrics=["report"])
end = time.perf_counter()
tally = done.tally
print(json.dumps({"after": end - first[0], "separating": tally.separating_s,
                  "scoring": tally.scoring_s, "preparing": tally.preparing_s,
                  "total": tally.total_s}))
"""
PLAN = """
import json, sys, tracemalloc
from pathlib import Path
import pyarrow.dataset
from benchbench.running.batches import batches
from benchbench.datasets.dataset import Source, Track
from benchbench.metrics import resolve
from benchbench.running.plan import plan
from benchbench.separation.identity import Identity
from benchbench.results.store import Results
count = int(sys.argv[1])
def track(number):
    stems = {name: Source(Path(f"/songs/{number:07d}/{name}.wav")) for name in ("vocals", "other")}
    return Track(f"song-{number:07d}", "songs", "", stems, None, False, f"{number:016x}")
tracks = [track(number) for number in range(count)]
identities = [Identity(f"model{n:02d}:plain", "a", "b", "c") for n in range(50)]
tracemalloc.start()
work = plan(Results(Path("/nonexistent")), identities, tracks, resolve(["usdr"]))
left, _ = work.counts()
done = sum(len(batch.jobs) for batch in batches(work, {i.model: 500.0 for i in identities}, 1e9, 2))
assert done == left == 50 * count
print(json.dumps(tracemalloc.get_traced_memory()[1] / 1e6))
"""


def figures(models: str, tracks: Sequence[int]) -> Iterator[Figure]:
    """The engine's share of a run on the demo, without start-up; the memory of a plan."""
    with tempfile.TemporaryDirectory(prefix="overhead-") as place:
        took = measured(["-c", RUN, models, str(Path(place) / "out")])
        found = from_json(took.output)
        own = found["after"] - found["separating"] - found["scoring"] - found["preparing"]
        share = 100 * own / found["after"]
        yield Figure("overhead", "engine's share after start-up", 1, "jobs", share, "%", bar=5.0)
        for name in ("separating", "scoring", "preparing", "after"):
            yield Figure("overhead", name, 1, "jobs", found[name], "s")
        yield Figure("overhead", "driver's memory", 9, "tracks", took.anonymous_mb, "MB")
    for count in tracks:
        grown = json.loads(measured(["-c", PLAN, str(count)]).output)
        yield Figure("overhead", "memory of planning 50 models", count, "tracks", grown, "MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="spleeter,irm,mixture,silence")
    parser.add_argument("--tracks", type=int, nargs="+", default=[100, 1000, 10000])
    given = parser.parse_args()
    for figure in figures(given.models, given.tracks):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
