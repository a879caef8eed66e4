"""Count the hostile cases in the table of ``docs/security.md``.

``python -m tests.hostile.counts`` writes the numbers into the page.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
ROW = re.compile(r"^(\|.*\| )(\d+)( \| )(`test_.*::.*`)( \|)$", re.MULTILINE)


def collected() -> Counter[str]:
    """``file::test`` -> number of cases with the marker ``hostile``."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "hostile", "-p",
         "no:cacheprovider", "tests/hostile"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = (line for line in done.stdout.splitlines() if line.startswith("tests/hostile/"))
    names = (line.removeprefix("tests/hostile/").partition("[")[0] for line in lines)
    return Counter(name for name in names if not name.startswith("test_counts.py"))


def with_counts(page: str, cases: Counter[str]) -> str:
    """The page with the current numbers.

    Raises
    ------
    ValueError
        When a test is in no row, or in several.
    """
    rows = Counter[str]()

    def counted(row: re.Match[str]) -> str:
        patterns = re.findall(r"`([^`]+)`", row[4])
        names = [name for name in cases if any(fnmatchcase(name, each) for each in patterns)]
        rows.update(names)
        return f"{row[1]}{sum(cases[name] for name in names)}{row[3]}{row[4]}{row[5]}"

    page = ROW.sub(counted, page)
    odd = [name for name in cases if rows[name] != 1]
    if odd:
        raise ValueError(f"not in one row of {PAGE.name}: {', '.join(odd)}")
    return page


if __name__ == "__main__":
    PAGE.write_text(with_counts(PAGE.read_text(encoding="utf-8"), collected()), encoding="utf-8")
