"""Write a results folder with random numbers that have realistic spreads.

For testing reports, comparisons and gates at any size without separating anything. The spreads
follow published evaluation campaigns: tracks differ by about 3 dB (standard deviation), and the
difference of two models varies by about 1.4 dB over tracks, so that a paired comparison has
much more power than an unpaired one.

::

    python benchmarks/simulate.py results --models 6 --tracks 50
    python benchmarks/simulate.py huge --models 50 --tracks 10000 --protocols usdr --consolidated
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results, write_atomically

FOUR = ("vocals", "drums", "bass", "other")
TWO = ("vocals", "accompaniment")
PROTOCOLS = ("usdr", "si", "bsseval-v4", "bands-octave", "windows")
LEVEL_DB = {"vocals": 7.0, "drums": 6.5, "bass": 5.5, "other": 4.5, "accompaniment": 13.0}
TRACK_SPREAD_DB = 3.0
PAIRED_SPREAD_DB = 1.4
FRAME_SPREAD_DB = 2.5
METRICS = {
    "usdr": {"SDR": 0.0},
    "si": {"SI-SDR": -0.6, "SI-SIR": 7.5, "SI-SAR": 0.4},
    "bsseval-v4": {"SDR": 0.3, "ISR": 5.0, "SIR": 8.0, "SAR": 0.6},
    "bands-octave": {"SDR": 0.0},
    "windows": {"SDR": 0.0, "SI-SDR": -0.6},
}
BANDS_HZ = tuple((31.25 * 2**k / 2**0.5, 31.25 * 2**k * 2**0.5) for k in range(1, 10))
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What to draw: sizes, spreads and the share of failures."""

    models: int = 6
    tracks: int = 50
    protocols: Sequence[str] = PROTOCOLS
    stems: str = "mixed"  # "four", "two" or "mixed": every third model gives two stems
    frames: int = 12
    runs: int = 1
    failures: float = 0.01
    seed: int = 0
    dataset: str = "simulated"
    step_db: float = 0.35  # between neighbouring models
    gains_db: dict[str, float] = field(default_factory=dict)  # on top, by model name
    consolidated: bool = False  # one part per model instead of one per cell
    audio_excerpts: bool = True


@dataclass(frozen=True)
class Model:
    """One simulated separator."""

    name: str
    stems: tuple[str, ...]
    skill_db: float
    oracle: bool
    trained_on: tuple[str, ...]
    speed: float  # processing seconds per second of audio
    memory_bytes: int
    parameters: int

    @property
    def reference_set(self) -> str:
        """The references that its stems are scored against."""
        return "+".join(self.stems)


def models_of(plan: Plan) -> list[Model]:
    """An oracle first, then separators from strong to weak."""
    rng = np.random.default_rng([plan.seed, 1])
    made = []
    for index in range(plan.models):
        oracle = index == 0 and plan.models > 2
        name = "oracle:irm" if oracle else f"net{index:02d}:base"
        two = plan.stems == "two" or (plan.stems == "mixed" and index % 3 == 2)
        made.append(
            Model(
                name=name,
                stems=TWO if two else FOUR,
                skill_db=2.0 if oracle else -plan.step_db * index,
                oracle=oracle,
                trained_on=(plan.dataset,) if index == 2 else (("musdb18-train",) if index else ()),
                speed=float(np.exp(rng.normal(-2.0, 1.0))),
                memory_bytes=int(4e8 * np.exp(abs(rng.normal(0.5, 0.6)))),
                parameters=0 if oracle else int(10 ** rng.uniform(6, 7.9)),
            )
        )
    return made


def simulate(root: Path, plan: Plan | None = None) -> Results:
    """Write a results folder according to `plan`.

    Parameters
    ----------
    root
        The folder, created when it does not exist.
    plan
        Sizes and spreads; the default is 6 models, 50 tracks, all protocols, one run.

    Returns
    -------
    Results
        The folder, ready to be read.
    """
    plan = plan or Plan()
    results = Results(root)
    models = models_of(plan)
    world = _World(plan)
    newest = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    for run in range(plan.runs):
        started = newest - timedelta(days=7 * (plan.runs - 1 - run))
        run_id = f"{started:%Y%m%dT%H%M%S}-{_digest(plan.seed, run)[:6]}"
        counts = {"ok": 0, "failed": 0}
        for index, model in enumerate(models):
            gain = plan.gains_db.get(model.name, 0.0) - 0.25 * (plan.runs - 1 - run)
            failed = _write_separations(results, plan, model, index, run, run_id)
            _write_scores(results, plan, world, model, index, run_id, gain, failed)
            counts["failed"] += int(failed.sum())
            counts["ok"] += int((~failed).sum())
        results.write_run(run_id, _facts(plan, models, run_id, started, counts))
    return results


class _World:
    """Shared by all models: difficulty of each track, target and frame, and silent frames."""

    def __init__(self, plan: Plan) -> None:
        rng = np.random.default_rng([plan.seed, 2])
        count = plan.tracks
        self.tracks = [f"track-{index:05d}" for index in range(count)]
        self.hard = {target: rng.normal(0.0, TRACK_SPREAD_DB, count) for target in sorted(LEVEL_DB)}
        self.frame = rng.normal(0.0, FRAME_SPREAD_DB, (count, plan.frames))
        quiet = rng.random((count, 1)) < 0.5
        self.silent = (rng.random((count, plan.frames)) < 0.35) & quiet
        self.silent[:: max(count // 3, 1), :] |= rng.random(plan.frames) < 0.3
        self.ill = rng.random(count) < 0.1
        self.tilt = rng.normal(0.0, 1.0, (count, len(BANDS_HZ)))


def _write_scores(
    results: Results,
    plan: Plan,
    world: _World,
    model: Model,
    index: int,
    run_id: str,
    gain: float,
    failed: npt.NDArray[np.bool_],
) -> None:
    rng = np.random.default_rng([plan.seed, 3, index])
    own = {
        target: rng.normal(0.0, PAIRED_SPREAD_DB / 2**0.5, plan.tracks) for target in model.stems
    }
    alive = np.flatnonzero(~failed)
    for protocol in plan.protocols:
        parts: list[dict[str, Any]] = []
        for target in model.stems:
            level = LEVEL_DB[target] + model.skill_db + gain + world.hard[target] + own[target]
            for metric, offset in METRICS[protocol].items():
                parts.extend(_columns(plan, world, rng, protocol, target, metric, level + offset))
        for cell, rows in _cells(plan, parts, alive):
            name = _digest(run_id, model.name, protocol, cell)
            table = _score_table(plan, world, model, run_id, name, protocol, rows)
            results.write_scores(name, model.name, plan.dataset, table)


_Part = dict[str, Any]


def _columns(
    plan: Plan,
    world: _World,
    rng: np.random.Generator,
    protocol: str,
    target: str,
    metric: str,
    level: Floats,
) -> Iterator[_Part]:
    """The values of one metric as arrays of shape (tracks,), one for each frame or band."""
    common = {"target": target, "metric": metric}
    ill = world.ill & (metric in {"ISR", "SIR", "SAR"})
    beside = _marked(ill, "ill_conditioned")
    if protocol in {"usdr", "si"}:
        yield {**common, "value": level, "reason": np.full(plan.tracks, None)}
    elif protocol == "bands-octave":
        for band, (low, high) in enumerate(BANDS_HZ):
            value = level - 1.2 * max(band - 6, 0) + world.tilt[:, band]
            value = value + rng.normal(0.0, 0.7, plan.tracks)
            empty = (band == 0) & (target == "vocals") & (world.tilt[:, 0] < 0.5)
            yield {
                **common,
                "band": (low, high),
                "value": np.where(empty, np.nan, value),
                "reason": _marked(empty, "below_floor"),
            }
    else:
        seconds = 1.0 if protocol == "bsseval-v4" else 5.0
        hop = seconds / (1.0 if protocol == "bsseval-v4" else 2.0)
        for frame in range(plan.frames):
            value = level + world.frame[:, frame] + rng.normal(0.0, 0.8, plan.tracks)
            silent = world.silent[:, frame]
            why = "silent_source_in_frame" if protocol == "bsseval-v4" else "silent_reference"
            yield {
                **common,
                "time": (frame * hop, seconds),
                "value": np.where(silent, np.nan, value),
                "reason": _marked(silent, why, beside),
            }


def _marked(
    where: npt.NDArray[np.bool_], reason: str, otherwise: npt.NDArray[np.object_] | None = None
) -> npt.NDArray[np.object_]:
    answer = np.full(where.shape, None, dtype=object) if otherwise is None else otherwise.copy()
    answer[where] = reason
    return answer


def _cells(
    plan: Plan, parts: list[_Part], alive: npt.NDArray[np.intp]
) -> Iterator[tuple[str, list[_Part]]]:
    groups = [alive] if plan.consolidated else [alive[k : k + 1] for k in range(len(alive))]
    for group in groups:
        if group.size:
            name = "all" if plan.consolidated else str(int(group[0]))
            yield name, [{**part, "rows": group} for part in parts]


def _score_table(
    plan: Plan,
    world: _World,
    model: Model,
    run_id: str,
    cell: str,
    protocol: str,
    parts: list[_Part],
) -> pa.Table:
    rows = parts[0]["rows"]
    count, size = len(parts), len(rows)
    total = count * size
    tracks = pa.array([world.tracks[row] for row in rows])
    separation = pa.array([_digest(run_id, model.name, int(row)) for row in rows])
    tile = pa.array(np.tile(np.arange(size), count))

    def same(value: object, kind: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, kind), total)

    def each(values: list[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind).take(pa.array(np.repeat(np.arange(count), size)))

    value = np.concatenate([part["value"][rows] for part in parts])
    reason = np.concatenate([part["reason"][rows] for part in parts])
    return pa.table(
        {
            "cell_id": same(cell, pa.string()),
            "separation_id": separation.take(tile),
            "run_id": same(run_id, pa.string()),
            "model": same(model.name, pa.string()),
            "dataset": same(plan.dataset, pa.string()),
            "track": tracks.take(tile),
            "target": each([part["target"] for part in parts], pa.string()),
            "reference_set": same(model.reference_set, pa.string()),
            "protocol": same(protocol, pa.string()),
            "metric": each([part["metric"] for part in parts], pa.string()),
            "metric_version": same(1, pa.int32()),
            "band_lo_hz": each([part.get("band", (None, None))[0] for part in parts], pa.float64()),
            "band_hi_hz": each([part.get("band", (None, None))[1] for part in parts], pa.float64()),
            "start_s": each([part.get("time", (None, None))[0] for part in parts], pa.float64()),
            "duration_s": each([part.get("time", (None, None))[1] for part in parts], pa.float64()),
            "value": pa.array(value, pa.float64(), mask=np.isnan(value)),
            "reason": pa.array(reason, pa.string()),
            "metric_hash": pa.nulls(total, pa.string()),
        },
        schema=SCORES,
    )


def _write_separations(
    results: Results, plan: Plan, model: Model, index: int, run: int, run_id: str
) -> npt.NDArray[np.bool_]:
    """Store what each separation cost; returns which of them failed."""
    rng = np.random.default_rng([plan.seed, 4, index, run])
    failed = (rng.random(plan.tracks) < plan.failures) & (not model.oracle)
    seconds = rng.uniform(120.0, 300.0, plan.tracks)
    rows = []
    for track in range(plan.tracks):
        bad = bool(failed[track])
        rows.append(
            {
                "separation_id": _digest(run_id, model.name, track),
                "run_id": run_id,
                "model": model.name,
                "adapter_hash": _digest("adapter", model.name)[:16],
                "weights_hash": _digest("weights", model.name, run)[:16],
                "options_hash": _digest("options")[:16],
                "dataset": plan.dataset,
                "dataset_hash": _digest("dataset", plan.dataset)[:16],
                "track": f"track-{track:05d}",
                "track_hash": _digest("track", track)[:16],
                "track_flags": "",
                "oracle": model.oracle,
                "trained_on": " ".join(model.trained_on),
                "stems": model.reference_set,
                "status": ("timeout" if track % 2 else "crashed") if bad else "ok",
                "error": "The separator stopped with exit status 1." if bad else None,
                "log_tail": "Traceback (most recent call last): ..." if bad else None,
                "load_s": 1.5 if track == 0 else 0.0,
                "wall_s": float(seconds[track] * model.speed * rng.lognormal(0.0, 0.05)),
                "audio_s": float(seconds[track]),
                "peak_rss_bytes": int(model.memory_bytes * rng.uniform(0.97, 1.03)),
                "parameters": model.parameters,
                "first_in_worker": track == 0,
                "jobs": 1,
            }
        )
    if plan.consolidated:
        table = pa.Table.from_pylist(rows, schema=SEPARATIONS)
        path = results.root / "separations" / f"{_digest(run_id, model.name)}.parquet"
        write_atomically(path, lambda file: pq.write_table(table, file))
    else:
        for row in rows:
            results.write_separation(row)
    return np.asarray(failed, dtype=bool)


def _facts(
    plan: Plan, models: list[Model], run_id: str, started: datetime, counts: dict[str, int]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "run_id": run_id,
        "started": started.isoformat(),
        "finished": (started + timedelta(minutes=90)).isoformat(),
        "command": ["bench", "run", "--dataset", plan.dataset],
        "benchbench": "0.1.0",
        "python": "3.11.9",
        "git": {"sha": _digest(run_id)[:40], "dirty": False},
        "machine": {
            "cpu": "simulated",
            "cores": 8,
            "memory_bytes": 34_359_738_368,
            "platform": "Linux-x86_64",
            "gpu": None,
            "blas": "openblas",
        },
        "packages": {"numpy": np.__version__},
        "dataset": {
            "name": plan.dataset,
            "version_hash": _digest("dataset", plan.dataset)[:16],
            "licence": "CC0-1.0",
            "notice": "Numbers drawn at random; no audio stands behind them.",
            "audio_excerpts": plan.audio_excerpts,
            "tracks": plan.tracks,
        },
        "models": [_model_facts(model) for model in models],
        "protocols": [{"name": name, "version": 1} for name in plan.protocols],
        "options": {"simulated": True, "seed": plan.seed},
        "jobs": 1,
        "counts": counts,
    }


def _model_facts(model: Model) -> dict[str, Any]:
    adapter, variant = model.name.split(":")
    return {
        "name": model.name,
        "adapter": adapter,
        "variant": variant,
        "summary": "A simulated separator.",
        "stems": list(model.stems),
        "oracle": model.oracle,
        "trained_on": list(model.trained_on),
        "licence": {"code": "MIT", "weights": "MIT"},
        "homepage": None,
        "published": [],
        "deterministic": True,
    }


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and write the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--tracks", type=int, default=50)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--failures", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stems", choices=("mixed", "two", "four"), default="mixed")
    parser.add_argument("--protocols", default=",".join(PROTOCOLS))
    parser.add_argument("--consolidated", action="store_true", help="one part per model")
    given = vars(parser.parse_args(arguments))
    out = given.pop("out")
    simulate(out, Plan(**{**given, "protocols": given["protocols"].split(",")}))


if __name__ == "__main__":
    main()
