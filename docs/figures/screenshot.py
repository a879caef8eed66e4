"""Take the README's picture of the report: the real page, in a real Chromium.

::

    python docs/figures/screenshot.py results/report.html
    python docs/figures/screenshot.py results/report.html --out docs/img/report-dark.png --dark

Needs `pip install playwright` and Chromium, on the search path or named in BENCHBENCH_CHROMIUM.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def take(page_file: Path, out: Path, *, width: int, height: int, dark: bool, section: str) -> None:
    """Open the page and store what its first screen, or one section, looks like."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("BENCHBENCH_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), ""
    )
    if not program:
        sys.exit("No Chromium found: install it, or name it in BENCHBENCH_CHROMIUM.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            device_scale_factor=1.5,
        )
        page.goto(page_file.resolve().as_uri())
        if section:
            page.locator(f"#{section}").screenshot(path=out)
        else:
            page.screenshot(path=out)
        browser.close()


def main() -> None:
    """Parse the command line and take the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/img/report.png"))
    parser.add_argument("--width", type=int, default=1120)
    parser.add_argument("--height", type=int, default=1060)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--section", default="", help="an id, such as cost or time")
    given = parser.parse_args()
    take(
        given.page,
        given.out,
        width=given.width,
        height=given.height,
        dark=given.dark,
        section=given.section,
    )


if __name__ == "__main__":
    main()
