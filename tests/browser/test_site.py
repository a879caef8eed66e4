"""The site of a hundred models in a real Chromium: how much is loaded, and how quickly it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from simulate import Plan, simulate

from benchbench.reporting import report

from .conftest import axe_source, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # the site takes a minute to write

MODELS, TRACKS = 100, 150


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of 100 models, 150 tracks, four targets, eight metrics."""
    root = tmp_path_factory.mktemp("wide")
    plan = Plan(MODELS, TRACKS, ("usdr", "si", "bsseval-v4"), stems="four", frames=4,
                consolidated=True, audio_excerpts=False)  # fmt: skip
    simulate(root / "results", plan)
    return report([root / "results"], root / "public").parent


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The site on a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The index, opened, with its complaints and requests."""
    made = browser.new_page()
    made.complaints, made.urls = [], []
    made.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.on(
        "console", lambda said: made.complaints.append(said.text) if said.type == "error" else None
    )
    made.on("request", lambda request: made.urls.append(request.url))
    made.goto(f"{address}/index.html")
    yield made
    assert made.complaints == []
    made.close()


def milliseconds(page: Any, action: str) -> float:
    """From an action until the next frame is drawn; the middle of seven."""
    script = """async () => {
      const taken = [];
      for (let round = 0; round < 7; round += 1) {
        const start = performance.now();
        (%s)(round);
        document.body.getBoundingClientRect();
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        taken.push(performance.now() - start);
        await new Promise((done) => setTimeout(done, 30));
      }
      return taken.sort((a, b) => a - b)[3];
    }"""
    return float(page.evaluate(script % action))


def test_the_first_page_is_small_and_complete(page: Any, folder: Path) -> None:
    assert (folder / "index.html").stat().st_size <= 1_000_000
    assert page.locator("[data-board-rows] tr").count() == MODELS
    assert [url for url in page.urls if not url.startswith("data:")] == [page.url]


def test_sorting_and_filtering_take_at_most_100_ms(page: Any) -> None:
    sort = "() => document.querySelector('#board th[data-sort=name] button').click()"
    find = """(round) => {
      const field = document.querySelector('[data-facet=find]');
      field.value = ['net1', 'net', '', 'net99', '', 'base', ''][round];
      field.dispatchEvent(new Event('input'));
    }"""
    assert milliseconds(page, sort) <= 100
    assert milliseconds(page, find) <= 100


def test_another_aggregation_is_fetched_when_it_is_chosen(page: Any) -> None:
    page.get_by_label("Aggregation", exact=True).select_option("mean of frame means")
    until(
        page,
        "document.querySelector('[data-board-caption]').textContent.includes('mean of frame means')",
    )
    (fetched,) = [url for url in page.urls if "/data/boards/" in url]
    assert page.locator("[data-board-rows] tr").count() == MODELS
    assert "aggregation=mean" in page.url
    page.goto("about:blank")
    page.goto(fetched.partition("/data/")[0] + "/index.html#aggregation=mean+of+frame+means")
    until(
        page,
        "document.querySelector('[data-board-caption]').textContent.includes('mean of frame means')",
    )


def test_the_index_finds_pages_of_models_and_tracks(page: Any) -> None:
    page.get_by_label("Find a page of a model or track").fill("net42")
    shown = page.locator("[data-pages] li:not([hidden])")
    assert shown.all_inner_texts() == ["net42:base"]
    shown.locator("a").click()
    assert page.url.endswith("/models/net42-base.html")
    assert page.locator("h1").inner_text().strip().endswith("net42:base")


def test_every_section_is_one_click_away(page: Any, folder: Path) -> None:
    links = page.locator("nav a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert "differences.html" in links
    for link in links:
        assert (folder / link.partition("#")[0]).is_file()
    page.locator("nav a", has_text="Tracks").click()
    page.get_by_label("Target", exact=True).select_option("drums")
    until(page, "document.querySelector('[data-tracks-caption]').textContent.includes('drums')")


def test_from_disk_the_page_says_what_needs_a_server(browser: Any, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.get_by_label("Aggregation", exact=True).select_option("mean of frame means")
    until(
        page, "document.querySelector('[data-board-caption]').textContent.includes('need the site')"
    )
    assert page.locator("[data-board-rows] tr").count() == MODELS
    page.close()


@pytest.mark.parametrize("name", ["index", "tracks", "differences", "targets"])
def test_no_accessibility_violation(browser: Any, address: str, name: str) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{address}/{name}.html")
    page.evaluate(axe_source().read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    told = [(one["id"], one["nodes"][0]["html"][:160]) for one in found["violations"]
            if one["impact"] in {"serious", "critical", "moderate"}]  # fmt: skip
    assert told == []
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["index", "differences", "tracks", "models/net42-base"])
def test_no_page_is_wider_than_the_screen(
    browser: Any, address: str, name: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{address}/{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
