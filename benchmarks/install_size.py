"""Disk space of an installation, package by package.

::

    python benchmarks/install_size.py                  # of the environment that runs it
    python benchmarks/install_size.py --limit-mb 1000  # exit code 1 if it takes more

Counts all files below the environment's package folder, and prints the ten largest packages.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
from pathlib import Path


def size_mb(path: Path) -> float:
    """The size of a file, or of all files below a folder, in megabytes of 1e6 bytes."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if not file.is_dir()) / 1e6


def main() -> int:
    """Print the sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit-mb", type=float, help="the most that all may take")
    limit = parser.parse_args().limit_mb
    sizes = {entry.name: size_mb(entry) for entry in Path(sysconfig.get_path("purelib")).iterdir()}
    total = sum(sizes.values())
    for name in sorted(sizes, key=lambda each: -sizes[each])[:10]:
        print(f"{sizes[name]:8.1f} MB  {name}")
    print(f"{total:8.1f} MB  in all" + (f", of {limit:.0f} allowed" if limit else ""))
    return 1 if limit and total > limit else 0


if __name__ == "__main__":
    sys.exit(main())
