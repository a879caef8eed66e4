"""A listening test goes round: exported, opened in webMUSHRA, answered by a browser, imported.

Needs a checkout of webMUSHRA (its licence lets nobody hand it on) and PHP:
``BENCHBENCH_WEBMUSHRA=/path/to/webMUSHRA``; without them the test is skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simulate import Plan, simulate

import benchbench
from benchbench.api.agreement import agreement
from benchbench.api.import_results import import_results
from benchbench.results.interchange import Source
from benchbench.results.store import Results
from tests.browser.conftest import until, write_tones

pytestmark = pytest.mark.browser

ANSWERS = {"reference": 100, "mixture": 10}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """webMUSHRA with an exported test on loopback: its address, its folder, the results."""
    checkout = os.environ.get("BENCHBENCH_WEBMUSHRA")
    php = shutil.which("php")
    if not checkout or not php:
        pytest.skip("needs BENCHBENCH_WEBMUSHRA (a checkout of webMUSHRA) and php")
    root = tmp_path / "results"
    simulate(root, Plan(models=3, tracks=2, frames=4, runs=1, stems="four", failures=0.0))
    write_tones(Results(root))
    site = tmp_path / "webmushra"
    shutil.copytree(checkout, site)
    (site / "results").mkdir(exist_ok=True)
    benchbench.export("webmushra", site / "configs", root, target="vocals", seconds=2.0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [php, "-S", f"127.0.0.1:{port}", "-t", str(site)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/?config=benchbench.yaml", site, root
    server.terminate()
    server.wait()


def answer(page: Any, address: str) -> None:
    """Go through the whole test: every stimulus gets a mark, the reference 100."""
    page.goto(address)
    until(page, "document.querySelector('#__button_next') !== null", 30)
    page.evaluate("document.querySelector('#__button_next').click()")
    while True:
        until(
            page,
            "document.querySelectorAll('input.scales').length > 0"
            " || document.querySelector('#send_results') !== null",
            30,
        )
        if page.evaluate("document.querySelector('#send_results') !== null"):
            break
        page.evaluate(
            """answers => document.querySelectorAll('input.scales').forEach((slider, at) =>
                $(slider).val(answers[slider.name] ?? 40 + at).slider('refresh'))""",
            ANSWERS,
        )
        page.evaluate("pageManager.nextPage()")
        page.wait_for_timeout(500)
    page.evaluate("document.querySelector('#send_results').click()")
    page.wait_for_timeout(2000)


def test_an_exported_test_is_answered_and_comes_back(
    browser: Any, served: tuple[str, Path, Path]
) -> None:
    address, site, root = served
    context = browser.new_context()
    answer(context.new_page(), address)
    context.close()
    (answers,) = (site / "results").rglob("mushra.csv")
    shutil.copy(site / "configs" / "benchbench.yaml", answers.parent)
    done = import_results("webmushra", answers, root, source=Source("panel"))
    assert done.tracks == 2
    rated = Results(root).scores_frame()
    rated = rated[(rated["protocol"] == "listening") & (rated["metric"] == "rating")]
    assert len(set(rated["model"])) == 4  # three separators and the mixture
    assert set(rated.loc[rated["model"] == "panel:mixture", "value"]) == {10.0}
    assert agreement(root)
