"""Two pull requests against Spleeter, judged by the gate: one degrades it, one only refactors it.

::

    python benchmarks/pull_request.py OUT

The baseline is Spleeter's two stems on the demo data set. The first candidate averages its masks over
pairs of frequency bins (half the resolution); the second rewrites the same arithmetic.
Expected: exit code 1 from both profiles for the first, 0 from both for the second.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL = "spleeter"
LINE = "            return [mask * low for mask in masks]\n"
CANDIDATES = {
    "half-resolution": (
        "            coarse = [(m[..., 0::2] + m[..., 1::2]) / 2 for m in masks]\n"
        "            return [np.repeat(m, 2, axis=-1) * low for m in coarse]\n"
    ),
    "tidied": (
        "            separated = []\n"
        "            for one in masks:\n"
        "                separated.append(low * one)\n"
        "            return separated\n"
    ),
}


def bench(*words: object) -> int:
    """Run the program; returns its exit code."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "benchbench", *map(str, words)],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    ).returncode


def separate(out: Path, adapters: Path | None) -> None:
    searched = ("--adapter-path", adapters) if adapters else ()
    code = bench(
        "run", "--models", MODEL, "--dataset", "demo", "--metrics", "usdr,si,bsseval-v4",
        "--out", out, "--no-report", *searched,
    )  # fmt: skip
    if code:
        raise SystemExit(f"The run into {out} ended with {code}.")


def changed_adapter(folder: Path, lines: str) -> Path:
    """A copy of the adapter in which `LINE` is replaced."""
    adapters = folder / "adapters"
    shutil.rmtree(adapters, ignore_errors=True)
    shutil.copytree(ROOT / "adapters" / MODEL, adapters / MODEL)
    source = adapters / MODEL / "spleeter_keras" / "inference.py"
    text = source.read_text()
    if text.count(LINE) != 1:
        raise SystemExit(f"{source} does not hold the line to change just once.")
    source.write_text(text.replace(LINE, lines))
    return adapters


def main() -> int:
    """Run the baseline, then both pull requests; the exit status is 0 if the gate was right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out.resolve()
    baseline = out / "baselines" / "main.parquet"
    separate(out / "main", None)
    bench("gate", "--baseline", baseline, "--results", out / "main", "--accept")
    right = True
    for name, lines in CANDIDATES.items():
        folder = out / name
        separate(folder / "results", changed_adapter(folder, lines))
        for profile in ("quality", "identical"):
            print(f"\n== {name}, profile {profile}", flush=True)
            reports = folder / profile
            code = bench(
                "gate", "--baseline", baseline, "--results", folder / "results",
                "--profile", profile, "--junit", reports / "junit.xml",
                "--summary", reports / "summary.md", "--html", reports / "gate.html",
            )  # fmt: skip
            print(f"exit code {code}")
            right &= code == (0 if name == "tidied" else 1)
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
