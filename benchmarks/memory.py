"""Memory against the length of a track: every protocol and every shipped separator.

::

    python -m benchmarks memory --seconds 180 1800 7200

Each runs in a separate process. Only anonymous memory counts: audio is mapped from files, and the
system can reclaim those pages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.plugins.catalog import Catalog
from benchbench.running.machine import processors
from benchbench.separation.model_setup import prepare_models
from benchbench.separation.separator import Limits, WorkerSeparator
from benchmarks.measuring import Figure, measured

RATE = 44100
MODELS = (
    "silence:2stems", "mixture:2stems", "mid-side:2stems", "irm:2stems", "ibm:2stems", "mwf:2stems",
    "hpss:drums", "repet-sim:2stems", "wiener:2stems", "spleeter:2stems", "zipformer:base",
    "zipformer:tiny", "zipformer:tiny-live",
)  # fmt: skip
"""Every shipped separator that runs in the engine's interpreter."""

BAR_MB = 1500.0


def raw_noise(path: Path, seconds: int, seed: int) -> RawAudio:
    """Noise whose level changes from second to second, written block by block."""
    rng = np.random.default_rng(seed)
    ten = np.cumsum(rng.standard_normal((2, 10 * RATE)), axis=1)
    ten = (0.1 * (ten - ten.mean()) / np.abs(ten).max()).astype(np.float32)
    levels = rng.uniform(0.2, 1.0, seconds)
    blocks = (
        ten[:, (second % 10) * RATE : (second % 10 + 1) * RATE] * np.float32(levels[second])
        for second in range(seconds)
    )
    return write_raw(path, blocks)


def songs(folder: Path, seconds: int) -> dict[str, RawAudio]:
    """Two references and plausible estimates of them."""
    names = ("vocals", "accompaniment", "estimate")
    return {name: raw_noise(folder / f"{name}.f32", seconds, i) for i, name in enumerate(names)}


def score(folder: Path, protocol: str, seconds: int) -> None:
    """Score in a measured process."""
    from benchbench.metrics import evaluate
    from benchbench.metrics import protocol as find
    from benchbench.metrics.references import References

    raws = {
        name: RawAudio(str(folder / f"{name}.f32"), 2, seconds * RATE)
        for name in ("vocals", "accompaniment", "estimate")
    }
    references = {name: raws[name].open() for name in ("vocals", "accompaniment")}
    estimates = {"vocals": raws["estimate"].open(), "accompaniment": raws["accompaniment"].open()}
    series = evaluate(References(references, RATE), estimates, [find(protocol)])[protocol]
    print(json.dumps({"values": sum(len(one.values) for one in series)}))


def separate(name: str, audio: dict[str, RawAudio], folder: Path) -> float:
    """Peak memory of a separator's process, in MB."""
    model = Catalog().model(name)
    setup = prepare_models([model], None, "cpu", {}, processors(), lambda _: None)[model.name]
    references = {stem: audio[stem] for stem in ("vocals", "accompaniment")}
    with (
        tempfile.TemporaryDirectory(dir=folder) as out,
        WorkerSeparator(setup, Limits(base_s=1e5), folder / "log") as worker,
    ):
        oracle = references if model.manifest.oracle else None
        done = worker.separate(audio["estimate"], RATE, Path(out), oracle)
        if done.status != "ok":
            raise SystemExit(f"{name}: {done.status}: {done.error}")
        return (done.peak_held or 0) / 1e6


def figures(
    lengths: Sequence[int], protocols: Sequence[str], models: Sequence[str]
) -> Iterator[Figure]:
    """Measure protocols, then separators, at every length."""
    for seconds in lengths:
        with tempfile.TemporaryDirectory(prefix="memory-") as place:
            audio = songs(Path(place), seconds)
            inner = ["-m", "benchmarks.memory", "--inner", place, "--seconds", str(seconds)]
            for protocol in protocols:
                took = measured([*inner, "--protocols", protocol])
                yield Figure("memory", protocol, seconds, "s", took.anonymous_mb, "MB", bar=BAR_MB)
                yield Figure("memory", f"{protocol} processor time", seconds, "s", took.cpu_s, "s")
            for model in models:
                yield Figure(
                    "memory", model, seconds, "s", separate(model, audio, Path(place)), "MB",
                    bar=BAR_MB,
                )  # fmt: skip


def every_protocol() -> list[str]:
    """All protocols that score arrays."""
    from benchbench.metrics import resolve

    return [protocol.name for protocol in resolve(["all"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="+", default=[180, 1800, 7200])
    parser.add_argument("--protocols", nargs="*")
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--inner", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inner:
        score(given.inner, given.protocols[0], given.seconds[0])
        return
    chosen = every_protocol() if given.protocols is None else given.protocols
    for figure in figures(given.seconds, chosen, given.models):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
