"""Figures of the Zipformer, and what is done to its weights after training.

::

    python -m benchmarks.zipformer gains --material DIR [--weights DIR] [--unet DIR] [--spleeter PATH/2stems]
    python -m benchmarks.zipformer speed
    python -m benchmarks.zipformer memory
    python -m benchmarks.zipformer live
    python -m benchmarks.zipformer seam
    python -m benchmarks.zipformer average --weights DIR --other DIR --shares 0.65 --out DIR
    python -m benchmarks.zipformer temperature --material DIR --weights DIR --out DIR
    python -m benchmarks.zipformer unet --material DIR/train --minutes 40 --out runs/unet

DIR of ``--material`` is the prepared data set `rendered`: ``train`` and ``test`` with one folder of stems per song.
``gains`` scores separators on its test songs, on `synth`, on a real recording and, with ``--sets``, on changed test songs; ``average``
and ``temperature`` write weights that are chosen on its validation songs; ``unet`` trains another network in the same loop.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = ROOT / "adapters"
sys.path[:0] = [str(ADAPTERS / "zipformer"), str(ADAPTERS / "spleeter")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

COSTS = ("speed", "memory", "live")
NEEDED = {
    "gains": ("material",),
    "average": ("other", "out"),
    "temperature": ("material", "out"),
    "unet": ("material", "out"),
}
PROGRAMS = (*COSTS, "seam", *NEEDED)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.zipformer", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--material", type=Path, help="the prepared data set rendered")
    parser.add_argument("--variant", default="tiny", help="of --weights")
    parser.add_argument("--weights", type=Path, default=ADAPTERS / "zipformer/weights/tiny")
    parser.add_argument("--train", type=int, help="gains: so many training songs of a kind too")
    parser.add_argument("--sets", nargs="+", metavar="SET", help="gains: see `gains.py`")
    parser.add_argument("--unet", type=Path, help="gains, unet: a checkpoint of spleeter:synth")
    parser.add_argument("--separators", nargs="+", default=["static", "zipformer", "unet"])
    parser.add_argument("--fit", type=int, help="fit the static filter to so many songs only")
    parser.add_argument("--spleeter", type=Path, help="published weights of spleeter:2stems")
    parser.add_argument("--seconds", type=float, default=60.0, help="of music: speed, live")
    parser.add_argument("--variants", nargs="+", default=["tiny", "base"], help="memory")
    parser.add_argument("--limit", type=int, help="at most so many songs of every set")
    parser.add_argument("--other", type=Path, help="average: weights that were trained on")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 1.0],
                        help="average: what the others weigh")  # fmt: skip
    parser.add_argument("--note", action="append", default=[], help="average: NAME=TEXT to keep")
    parser.add_argument("--minutes", type=float, default=40.0, help="unet: of processor time")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="unet")
    parser.add_argument("--steps", type=int, default=100_000, help="unet: for the fall of the rate")
    parser.add_argument("--out", type=Path, help="the folder to write")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    needed = NEEDED.get(given.program, ())
    if given.program == "average" and len(given.shares) > 1:
        needed = (*needed, "material")
    if missing := [f"--{name}" for name in needed if getattr(given, name) is None]:
        parser.error(f"{given.program} needs {' and '.join(missing)}")
    print(given.program)
    if given.program in COSTS:
        cost = importlib.import_module("benchmarks.zipformer.cost")
        result = getattr(cost, given.program)(given)
    else:
        result = importlib.import_module(f"benchmarks.zipformer.{given.program}").main(given)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
