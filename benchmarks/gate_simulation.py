"""Error rates of the gate, simulated for equal models, a loss and a broken track.

::

    python benchmarks/gate_simulation.py                 # the table, about two minutes
    python benchmarks/gate_simulation.py --repetitions 200

Every repetition draws a baseline and a candidate on the same tracks and asks `gate_sides` for its
decision, with the rules of a default `GateConfig`. Tracks differ by 3 dB (standard deviation), the
two models by 1.4 dB from track to track, independently on each of four targets. A row's second
metric is close to the first, as SI-SDR is to SDR.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.comparison import Side
from benchbench.comparison.gate import GateConfig, gate_sides

Floats = npt.NDArray[np.float64]

TARGETS = ("vocals", "drums", "bass", "other")
METRICS = (("usdr", "SDR"), ("si", "SI-SDR"))
LEVEL_DB = 6.0
TRACK_SPREAD_DB = 3.0
PAIRED_SPREAD_DB = 1.4
METRIC_SPREAD_DB = 0.3


@dataclass(frozen=True)
class Scenario:
    """A kind of candidate: the change of the gains of shape (tracks, targets)."""

    name: str
    wanted: str
    change: Callable[[np.random.Generator, Floats], Floats]
    targets: int = 4
    heavy: bool = False
    config: GateConfig = field(default_factory=GateConfig)
    rule: str | None = None
    bar: tuple[float, float] | None = None  # the lowest and highest accepted share


def _loss(size: float, columns: int) -> Callable[[np.random.Generator, Floats], Floats]:
    def change(_: np.random.Generator, gains: Floats) -> Floats:
        gains = gains.copy()
        gains[:, :columns] -= size
        return gains

    return change


def _broken(size: float) -> Callable[[np.random.Generator, Floats], Floats]:
    def change(generator: np.random.Generator, gains: Floats) -> Floats:
        gains = gains.copy()
        gains[generator.integers(len(gains))] -= size
        return gains

    return change


def _none(_: np.random.Generator, gains: Floats) -> Floats:
    return gains


def scenarios() -> list[Scenario]:
    """All scenarios."""
    identical = GateConfig(profile="identical")
    fails = "stopped"
    made = [
        Scenario("equal models, one target", fails, _none, targets=1, bar=(0, 0.05)),
        Scenario("equal models, four targets", fails, _none, bar=(0, 0.05)),
        Scenario("equal models, four targets, heavy tails", fails, _none, heavy=True),
        Scenario("0.6 dB lost, one target judged", fails, _loss(0.6, 1), targets=1, bar=(0.8, 1)),
        Scenario("0.6 dB lost on all of four targets", fails, _loss(0.6, 4), bar=(0.8, 1)),
        Scenario("0.6 dB lost on one of four targets", fails, _loss(0.6, 1)),
        Scenario("0.3 dB lost on all of four targets", fails, _loss(0.3, 4)),
        Scenario("0.3 dB gained on all of four targets", fails, _loss(-0.3, 4), bar=(0, 0.05)),
    ]
    made += [
        Scenario(
            f"one track of 50 broken by {size:g} dB",
            "tail rule",
            _broken(size),
            rule="tail",
            bar=(1, 1) if size >= 12 else None,
        )
        for size in (6, 8, 10, 12, 20)
    ]
    made += [
        Scenario(
            "identical: nothing changed", fails, lambda _, g: 0 * g, config=identical, bar=(0, 0)
        ),
        Scenario(
            "identical: one track moved by 0.01 dB",
            fails,
            lambda r, g: _broken(0.01)(r, 0 * g),
            config=identical,
            bar=(1, 1),
        ),
    ]
    return made


def run(scenario: Scenario, repetitions: int, tracks: int, seed: int) -> dict[str, object]:
    """The share of repetitions with the gate decision that the scenario counts."""
    generator = np.random.default_rng([seed, sum(map(ord, scenario.name))])
    hits = unsure = 0
    began = time.perf_counter()
    for _ in range(repetitions):
        shape = (tracks, scenario.targets)
        if scenario.heavy:
            freedom = 4
            noise = generator.standard_t(freedom, shape) * np.sqrt((freedom - 2) / freedom)
        else:
            noise = generator.normal(size=shape)
        base = generator.normal(LEVEL_DB, TRACK_SPREAD_DB, shape)
        gains = scenario.change(generator, PAIRED_SPREAD_DB * noise)
        follow = [
            METRIC_SPREAD_DB * generator.normal(size=shape) * gains.any() for _ in METRICS[1:]
        ]
        result = gate_sides(
            side("baseline", [base] * len(METRICS)),
            side("candidate", [base + gains, *(base + gains + extra for extra in follow)]),
            scenario.config,
        )
        failed = [check for check in result.checks if check.status == "failed"]
        if scenario.rule:
            hits += any(check.rule == scenario.rule for check in failed)
        else:
            hits += bool(failed)
        unsure += result.exit_code == 0 and any(c.rule == "inconclusive" for c in result.checks)
    share = hits / repetitions
    good = scenario.bar is None or scenario.bar[0] <= share <= scenario.bar[1]
    return {
        "scenario": scenario.name,
        "counted": scenario.wanted,
        "share": share,
        "standard_error": float(np.sqrt(share * (1 - share) / repetitions)),
        "inconclusive": unsure / repetitions,
        "bar": list(scenario.bar) if scenario.bar else None,
        "holds": good,
        "repetitions": repetitions,
        "tracks": tracks,
        "seconds": time.perf_counter() - began,
    }


def side(label: str, values: Sequence[Floats]) -> Side:
    """A side with one table of (tracks, targets) per metric."""
    tracks, targets = values[0].shape
    rows = len(values) * tracks * targets
    names = [f"t{track:04d}" for track in range(tracks)]
    table = pd.DataFrame(
        {
            "model": "m:a",
            "dataset": "simulated",
            "track": pd.Categorical(np.tile(np.repeat(names, targets), len(values))),
            "target": pd.Categorical(np.tile(TARGETS[:targets], len(values) * tracks)),
            "reference_set": "vocals+drums+bass+other",
            "protocol": np.repeat([protocol for protocol, _ in METRICS], tracks * targets),
            "metric": np.repeat([metric for _, metric in METRICS], tracks * targets),
            "metric_version": np.ones(rows, dtype=np.int32),
            "band_lo_hz": np.nan,
            "band_hi_hz": np.nan,
            "value": np.concatenate([part.ravel() for part in values]),
            "frames": 1,
            "missing": 0,
            "reason": None,
        }
    )
    return Side(label, table, hashes={"simulated": frozenset({"1"})})


def markdown(found: Sequence[dict[str, object]]) -> str:
    """The figures as a Markdown table for the documentation."""
    lines = ["| candidate | counted | share | bar |", "|---|---|---|---|"]
    for row in found:
        low, high = row["bar"] or (None, None)  # type: ignore[misc]
        bar = "" if low is None else (f"<= {high:.0%}" if low == 0 else f">= {low:.0%}")
        share = f"{row['share']:.1%} ± {1.96 * float(str(row['standard_error'])):.1%}"
        lines.append(f"| {row['scenario']} | {row['counted']} | {share} | {bar} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all scenarios; the exit status is 0 if every bar is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--tracks", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--only", default="", help="scenarios whose name holds this")
    given = parser.parse_args(arguments)
    found = []
    for scenario in (item for item in scenarios() if given.only in item.name):
        found.append(run(scenario, given.repetitions, given.tracks, given.seed))
        row = found[-1]
        print(
            f"{row['share']:7.1%}  {'' if row['holds'] else 'MISSED '}{row['scenario']}", flush=True
        )
    print("\n" + markdown(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if all(row["holds"] for row in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
