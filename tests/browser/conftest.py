"""A real Chromium, one page with everything in it, and what it takes to say what is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from simulate import Plan, simulate

from benchbench.io.names import file_name
from benchbench.reporting import report
from benchbench.results.store import Results

RATE = 44100
SECONDS = 14.0


def chromium() -> str:
    """The path of Chromium, from BENCHBENCH_CHROMIUM or the search path."""
    named = os.environ.get("BENCHBENCH_CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if not found:
        pytest.fail(
            "No Chromium. Run tests/browser/install.sh (Debian, Ubuntu), or install one and name "
            "it in BENCHBENCH_CHROMIUM."
        )
    return found


def axe_source() -> Path:
    """axe-core, from BENCHBENCH_AXE or where install.sh puts it."""
    named = os.environ.get("BENCHBENCH_AXE")
    here = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
    path = Path(named) if named else here
    if not path.is_file():
        pytest.fail(
            "No axe-core. Run tests/browser/install.sh, or `npm install axe-core` and name "
            "axe.min.js in BENCHBENCH_AXE."
        )
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail(
            "No playwright. Install it with `pip install playwright`, or run tox -e browser."
        )
    with sync_playwright() as play:
        made = play.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield made
        made.close()


@pytest.fixture(scope="session")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of simulated numbers with real tones to listen to."""
    root = tmp_path_factory.mktemp("results")
    simulate(root, Plan(models=5, tracks=6, frames=12, runs=2, stems="four", failures=0.0))
    write_tones(Results(root))
    out = root / "report.html"
    report([root], out)
    return out


def write_tones(results: Results) -> None:
    """A tone of its own for each source of each track, beside the numbers."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    rows = results.separations_frame()
    for place, track in enumerate(sorted(set(rows["track_hash"]))):
        folder = results.track_audio(str(track))
        folder.mkdir(parents=True)
        for index, name in enumerate(("mixture", "vocals", "drums", "bass", "other")):
            tone = 0.2 * np.sin(2 * np.pi * (220 + 110 * index + 10 * place) * time)
            soundfile.write(folder / f"{name}.flac", np.stack([tone, tone], 1), RATE)
    for row in rows.to_dict("records"):
        folder = results.stem_audio(str(row["separation_id"]))
        folder.mkdir(parents=True)
        tone = 0.1 * np.sin(2 * np.pi * 330 * time) * (1 + 0.2 * np.sin(2 * np.pi * 3 * time))
        soundfile.write(folder / f"{file_name('vocals')}.flac", np.stack([tone, tone], 1), RATE)


class Visit:
    """A page opened from disk, with everything it asked for and complained about."""

    def __init__(self, browser: Any, document: Path, fragment: str = "", **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        self.page.goto(document.as_uri() + fragment)


def until(page: Any, condition: str, seconds: float = 10.0) -> None:
    """Wait for a condition; the page's policy admits no evaluation from within."""
    for _ in range(int(seconds / 0.05)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {condition}")


@pytest.fixture
def visit(browser: Any, document: Path) -> Iterator[Any]:
    """Open the report; options are those of a Playwright context."""
    opened: list[Visit] = []

    def open_page(fragment: str = "", **options: Any) -> Visit:
        opened.append(Visit(browser, document, fragment, **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.context.close()
        assert one.complaints == []
