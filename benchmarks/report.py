"""Time and memory of the report of a large results folder, and the size of its page.

::

    python benchmarks/report.py                                   # 20 models x 150 tracks x 4 targets
    python benchmarks/report.py --models 5 --tracks 50 --folder results
    python benchmarks/report.py --models 50 --tracks 10000 --protocols usdr,si --consolidated   # 8 million rows
    python benchmarks/report.py --models 100 --frames 8 --protocols usdr,si,bsseval-v4 --consolidated --site

The scores are simulated: every protocol of the standard run, also by window and band. A folder given
with ``--folder`` is kept, so that a second call only measures.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simulate import PROTOCOLS, Plan, simulate

LIMITS = {"seconds": 20.0, "gigabytes": 1.5, "page megabytes": 6.0}


def measured(folder: Path, page: Path) -> dict[str, float]:
    """Run the report in a separate process; time and memory include imports."""
    code = (
        "import resource, sys; from pathlib import Path; from benchbench.reporting import report; "
        "report([Path(sys.argv[1])], Path(sys.argv[2]), audio='none')"
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(folder), str(page)], check=True)
    taken = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": taken,
        "processor seconds": usage.ru_utime + usage.ru_stime,
        "gigabytes": usage.ru_maxrss * 1024 / 1e9,
        "page megabytes": (page if page.is_file() else page / "index.html").stat().st_size / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--tracks", type=int, default=150)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--protocols", default=",".join(PROTOCOLS))
    parser.add_argument("--consolidated", action="store_true", help="one part per model")
    parser.add_argument("--site", action="store_true", help="write a site; the page is its index")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch) / "results"
        if not folder.exists():
            plan = Plan(
                given.models,
                given.tracks,
                given.protocols.split(","),
                stems="four",
                frames=given.frames,
                consolidated=given.consolidated,
            )
            simulate(folder, plan)
        found = measured(folder, Path(scratch) / ("site" if given.site else "report.html"))
    for name, value in found.items():
        limit = LIMITS.get(name)
        print(f"{name:20} {value:8.2f}" + (f"   (at most {limit:g})" if limit else ""))


if __name__ == "__main__":
    main()
