"""Time and memory of the results store and its readers, against the number of rows.

::

    python -m benchmarks store --tracks 10000 --models 50

Scores of some models on some tracks, four targets and four metrics, are drawn at random and stored
as `bench compact` leaves them; then each reader runs in a separate process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchbench.io.hashing import short_hash
from benchbench.results.compaction import compact
from benchbench.results.parquet_parts import write_parts
from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results
from benchmarks.measuring import Figure, measured

TARGETS = ("vocals", "drums", "bass", "other")
METRICS = ("SDR", "ISR", "SIR", "SAR")
RUN = "20260101T000000-000000"

LEADERBOARD = """
import sys
from pathlib import Path
from benchbench.results.store import Results
from benchbench.cli.run_summary import summary
results = Results(Path(sys.argv[1]))
print(summary(results, models=sys.argv[2].split(","), dataset="simulated")[:3000])
"""
COMPARE = """
import sys
from pathlib import Path
from benchbench.api.compare import compare
from benchbench.comparison import *
first, second = sys.argv[2].split(",")[:2]
compare(f"{sys.argv[1]}@{first}", f"{sys.argv[1]}@{second}")
"""
REPORT = """
import sys
from pathlib import Path
from benchbench.api.report import report
report([Path(sys.argv[1])], Path(sys.argv[1]) / "report.html", audio="none")
"""
LIST = """
import sys
from benchbench.cli.listing import listing
from pathlib import Path
listing("runs", Path(sys.argv[1]), [])
from benchbench.results.store import Results
results = Results(Path(sys.argv[1]))
print(sum(len(results.stored_cells(m, "simulated")) for m in sys.argv[2].split(",")))
"""


def names(models: int) -> list[str]:
    """Names of the given number of models."""
    return [f"model{number:02d}:plain" for number in range(models)]


def simulate(root: Path, models: int, tracks: int) -> None:
    """A folder of results as it is after a compaction."""
    results = Results(root)
    hard = np.random.default_rng(0).normal(6.0, 3.0, (tracks, len(TARGETS)))
    words = [f"track-{number:06d}" for number in range(tracks)]
    results.write_run(RUN, {"run_id": RUN, "started": "2026-01-01T00:00:00+00:00", "models": [],
                            "dataset": {"name": "simulated"}, "machine": {}})  # fmt: skip
    separations = []
    for number, model in enumerate(names(models)):
        ids = [short_hash(model, word) for word in words]
        path = results.scores_path("x", model, "simulated").parent / "compacted-000001-0.parquet"
        path.parent.mkdir(parents=True)
        write_parts(score_tables(model, words, ids, hard, number), SCORES, path)
        separations.append(separation_table(model, words, ids))
    folder = root / "separations"
    folder.mkdir()
    write_parts(separations, SEPARATIONS, folder / "compacted-000001-0.parquet")


def score_tables(
    model: str, tracks: list[str], ids: list[str], hard: np.ndarray, seed: int
) -> Iterator[pa.Table]:
    """A model's score rows, some tracks at a time."""
    rng = np.random.default_rng([1, seed])
    each = len(TARGETS) * len(METRICS)
    for start in range(0, len(tracks), 5000):
        some = slice(start, start + 5000)
        count = len(tracks[some])
        levels = hard[some] + rng.normal(seed / 25, 1.4, (count, len(TARGETS)))
        values = levels[:, :, None] + np.array([0.0, 5.0, 8.0, 0.6])
        fixed = {
            "run_id": RUN, "model": model, "dataset": "simulated", "protocol": "bsseval-v4",
            "reference_set": "vocals+drums+bass+other",
        }  # fmt: skip
        columns = {name: pa.repeat(word, count * each) for name, word in fixed.items()}
        columns["cell_id"] = pa.array(np.repeat(ids[some], each).tolist())
        columns["separation_id"] = columns["cell_id"]
        columns["track"] = pa.array(np.repeat(tracks[some], each).tolist())
        columns["target"] = pa.array(np.repeat(TARGETS, len(METRICS)).tolist() * count)
        columns["metric"] = pa.array(list(METRICS) * len(TARGETS) * count)
        columns["metric_version"] = pa.repeat(pa.scalar(1, pa.int32()), count * each)
        columns["value"] = pa.array(values.ravel())
        missing = {f.name: pa.nulls(count * each, f.type) for f in SCORES if f.name not in columns}
        yield pa.table({**columns, **missing}).select(SCORES.names).cast(SCORES)


def separation_table(model: str, tracks: list[str], ids: list[str]) -> pa.Table:
    """A model's separation rows."""
    count = len(tracks)
    filler = {pa.string(): "x", pa.bool_(): False, pa.int32(): 1}
    columns = {
        field.name: pa.nulls(count, field.type)
        if field.nullable
        else pa.repeat(pa.scalar(filler[field.type], field.type), count)
        for field in SEPARATIONS
    }
    columns |= {
        "separation_id": pa.array(ids), "track": pa.array(tracks),
        "run_id": pa.repeat(RUN, count), "model": pa.repeat(model, count),
        "dataset": pa.repeat("simulated", count), "status": pa.repeat("ok", count),
        "trained_on": pa.repeat("", count), "track_flags": pa.repeat("", count),
        "stems": pa.repeat("+".join(TARGETS), count),
        "wall_s": pa.array(np.full(count, 10.0)), "audio_s": pa.array(np.full(count, 200.0)),
    }  # fmt: skip
    return pa.table(columns).select(SEPARATIONS.names).cast(SEPARATIONS)


def small_parts(root: Path, cells: int) -> Results:
    """A folder with one part per cell, as runs leave it."""
    results = Results(root)
    words = [f"track-{number:06d}" for number in range(cells)]
    ids = [short_hash(word) for word in words]
    table = next(score_tables("model00:plain", words, ids, np.zeros((cells, 4)), 0))
    for number, cell in enumerate(ids):
        results.write_scores(cell, "model00:plain", "simulated", table.slice(16 * number, 16))
    return results


def figures(tracks: int, models: int, cells: int) -> Iterator[Figure]:
    """Measure everything; `cells` small parts are written, read, compacted and read again."""
    full = tracks >= 10000 and models >= 50
    rows = tracks * models * len(TARGETS) * len(METRICS)
    with tempfile.TemporaryDirectory(prefix="store-") as place:
        root = Path(place) / "large"
        simulate(root, models, tracks)
        arguments = [str(root), ",".join(names(models))]
        for name, code in (
            ("leaderboard", LEADERBOARD), ("listing", LIST), ("compare", COMPARE), ("report", REPORT)
        ):  # fmt: skip
            took = measured(["-c", code, *arguments])
            bar = {"leaderboard": 10.0}.get(name) if full else None
            yield Figure("store", f"{name} time", rows, "rows", took.wall_s, "s", bar=bar)
            yield Figure("store", f"{name} processor time", rows, "rows", took.cpu_s, "s")
            memory_bar = 2000.0 if full and name == "leaderboard" else None
            yield Figure(
                "store", f"{name} memory", rows, "rows", took.peak_mb, "MB", bar=memory_bar
            )
        root = Path(place) / "small"
        start = time.perf_counter()
        results = small_parts(root, cells)
        each = (time.perf_counter() - start) / cells * 1000
        yield Figure("store", "one part written", cells, "parts", each, "ms")
        for state in ("before", "after"):
            start = time.perf_counter()
            count = results.scores(columns=["cell_id"]).num_rows
            took_s = time.perf_counter() - start
            yield Figure("store", f"parts read {state} compaction", cells, "parts", took_s, "s")
            if count != 16 * cells:
                raise AssertionError(f"{count} rows of {16 * cells}")
            if state == "before":
                start = time.perf_counter()
                compact(results)
                took_s = time.perf_counter() - start
                yield Figure("store", "compaction", cells, "parts", took_s, "s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=10000)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--cells", type=int, default=5000)
    given = parser.parse_args()
    for figure in figures(given.tracks, given.models, given.cells):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
