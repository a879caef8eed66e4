from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulate import Plan, simulate

from benchbench.reporting import report

from .conftest import Visit, axe_source

pytestmark = pytest.mark.browser


def names(page: Any) -> list[str]:
    return page.locator("[data-board-rows] th bdi").all_inner_texts()


def test_nothing_is_requested(visit: Any) -> None:
    one = visit()
    one.page.wait_for_timeout(300)
    others = [url for url in one.requests if not url.startswith(("data:", "blob:"))]
    assert others == [one.page.url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_violation(visit: Any, scheme: str) -> None:
    # Runs through the debugger, since the page's own policy admits no other script.
    one = visit(color_scheme=scheme, bypass_csp=True)
    for details in one.page.locator("details").all():
        details.evaluate("one => { one.open = true; }")
    one.page.evaluate(axe_source().read_text(encoding="utf-8"))
    found = one.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    told = [
        (item["id"], item["impact"], [node["html"][:160] for node in item["nodes"][:3]])
        for item in found["violations"]
        if item["impact"] in {"serious", "critical", "moderate"}
    ]
    assert told == []


def test_policy_blocks_foreign_script(browser: Any, document: Any) -> None:
    page = browser.new_page()
    page.goto(document.as_uri())
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.owned = 1';"
        " document.body.append(s); }"
    )
    assert page.evaluate("window.owned") is None
    page.close()


def test_sorting_turns_the_order(visit: Any) -> None:
    page = visit().page
    before = names(page)
    button = page.locator("#board th[data-sort=name] button")
    button.click()
    assert names(page) == sorted(before, key=str.lower)
    assert page.locator("#board th[data-sort=name]").get_attribute("aria-sort") == "ascending"
    button.click()
    assert names(page) == sorted(before, key=str.lower, reverse=True)


def test_sorting_by_keyboard(visit: Any) -> None:
    page = visit().page
    page.locator("#board th[data-sort=rtf] button").focus()
    page.keyboard.press("Enter")
    assert page.locator("#board th[data-sort=rtf]").get_attribute("aria-sort") == "ascending"


def test_filtering_and_the_state_in_the_address(visit: Any) -> None:
    one = visit()
    page = one.page
    page.get_by_label("Find a model").fill("net03")
    page.get_by_label("Target", exact=True).select_option("drums")
    page.get_by_label("Metric", exact=True).select_option("usdr SDR")
    page.get_by_label("Aggregation", exact=True).select_option("median over tracks")
    assert names(page) == ["net03:base"]
    caption = page.locator("[data-board-caption]").inner_text()
    assert "usdr SDR of drums" in caption
    assert "median over tracks" in caption
    again = visit("#" + page.url.split("#")[1]).page
    assert names(again) == ["net03:base"]
    assert again.locator("[data-board-caption]").inner_text() == caption
    assert again.get_by_label("Find a model").input_value() == "net03"


def test_a_link_to_a_section_keeps_the_choice(visit: Any) -> None:
    page = visit("#find=net01").page
    page.get_by_role("link", name="Cost", exact=True).click()
    assert "find=net01" in page.url
    assert "at=cost" in page.url


def test_bounds_can_be_hidden(visit: Any) -> None:
    page = visit().page
    assert "oracle:irm" in names(page)
    page.get_by_label("Oracles and baselines").uncheck()
    assert "oracle:irm" not in names(page)


def test_the_script_shows_the_same_rows_as_the_page_came_with(visit: Any) -> None:
    page = visit(java_script_enabled=False).page
    cells = page.locator("[data-board-rows] td.num").all_inner_texts()
    shown = visit("#sort=rank").page
    assert shown.locator("[data-board-rows] td.num").all_inner_texts() == cells


def test_it_reads_without_script(visit: Any) -> None:
    page = visit(java_script_enabled=False).page
    assert page.locator("h1").inner_text()
    assert len(names(page)) == 5
    assert page.locator("audio").first.is_visible()
    assert not page.locator("[data-controls]").is_visible()
    assert page.locator("button:visible").count() == 0


def test_dark_by_the_system_and_by_hand(visit: Any) -> None:
    read = "getComputedStyle(document.body).backgroundColor"
    light, dark = visit(color_scheme="light").page, visit(color_scheme="dark").page
    assert light.evaluate(read) == "rgb(255, 255, 255)"
    assert dark.evaluate(read) != "rgb(255, 255, 255)"
    light.locator("[data-theme-toggle]").click()
    assert light.evaluate(read) == dark.evaluate(read)


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_no_sideways_scrolling(visit: Any, width: int) -> None:
    page = visit(viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_printing(visit: Any) -> None:
    page = visit().page
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert not page.locator("[data-controls]").is_visible()
    assert page.locator("#board").is_visible()
    assert len(page.pdf()) > 10_000


@pytest.mark.parametrize("width", [718, 794])
def test_nothing_runs_off_the_paper(visit: Any, width: int) -> None:
    page = visit(viewport={"width": width, "height": 1123}).page
    page.emulate_media(media="print")
    wide = page.evaluate(
        "() => [...document.querySelectorAll('main *')].filter((one) => {"
        " const box = one.getBoundingClientRect(); "
        f" return box.width && box.right > {width}.5; }})"
        ".map((one) => `${one.tagName} ${one.className} ${one.id}`).slice(0, 5)"
    )
    assert wide == []


def test_copying_as_latex(visit: Any) -> None:
    one = visit()
    one.context.grant_permissions(["clipboard-read", "clipboard-write"])
    one.page.locator("[data-copies=board]").get_by_text("Copy as LaTeX").click()
    one.page.get_by_text("Copied").wait_for()
    text = one.page.evaluate("navigator.clipboard.readText()")
    assert text.startswith("% needs \\usepackage{booktabs}")
    assert "net01:base" in text
    assert "\\bottomrule" in text


def test_a_download_is_parquet(visit: Any) -> None:
    page = visit().page
    with page.expect_download() as started:
        page.get_by_role("link", name="tracks.parquet").click()
    path = started.value.path()
    assert path.read_bytes()[:4] == b"PAR1"


ACTIONS = {
    "sort": "document.querySelector('#board th[data-sort=name] button').click()",
    "filter": "const i = document.querySelector('[data-facet=find]'); i.value = 'net1';"
    " i.dispatchEvent(new Event('input'))",
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty models with their numbers on sixty tracks."""
    root = tmp_path_factory.mktemp("large")
    protocols = ("usdr", "si", "bsseval-v4")
    simulate(root, Plan(20, 60, protocols, "four", frames=3, failures=0.0, consolidated=True))
    return report([root], root / "report.html")


@pytest.mark.parametrize("action", ACTIONS)
def test_sorting_and_filtering_twenty_models_is_fast(
    browser: Any, large: Path, action: str
) -> None:
    one = Visit(browser, large)
    timed = (
        "() => { const t = performance.now(); " + ACTIONS[action] + "; document.body.offsetHeight;"
        " return performance.now() - t; }"
    )
    taken = sorted(one.page.evaluate(timed) for _ in range(5))
    assert one.complaints == []
    one.context.close()
    assert taken[2] < 100, taken


def test_the_chosen_target_goes_through_the_page(visit: Any) -> None:
    one = visit()
    page = one.page
    page.get_by_label("Target", exact=True).select_option("drums")
    shown = page.locator("[data-round]:visible > summary").all_inner_texts()
    assert len(shown) == 1
    assert "of drums" in shown[0]
    assert "of drums on every track" in page.locator("[data-tracks-caption]").inner_text()
    assert "of drums" in page.locator("[data-swing-caption]").inner_text()
    again = visit("#" + page.url.split("#")[1]).page
    assert again.locator("[data-track-rows]").inner_text() == (
        page.locator("[data-track-rows]").inner_text()
    )


def test_the_table_of_tracks_follows_metric_and_aggregation(visit: Any) -> None:
    page = visit().page
    before = page.locator("[data-track-rows]").inner_text()
    page.get_by_label("Aggregation", exact=True).select_option("mean of frame means")
    assert "the mean over its frames" in page.locator("[data-tracks-caption]").inner_text()
    assert page.locator("[data-track-rows]").inner_text() != before
    page.get_by_label("Metric", exact=True).select_option("usdr SDR")
    assert "usdr SDR of vocals on every" in page.locator("[data-tracks-caption]").inner_text()


def test_following_a_choice_back_shows_what_the_page_came_with(visit: Any) -> None:
    plain = visit(java_script_enabled=False).page
    page = visit().page
    page.get_by_label("Target", exact=True).select_option("bass")
    page.get_by_label("Target", exact=True).select_option("vocals")
    for part in ("[data-track-rows]", "[data-tracks-head]", "[data-board-rows]"):
        cells = f"{part} td, {part} th"
        assert page.locator(cells).all_inner_texts() == plain.locator(cells).all_inner_texts()


def test_every_target_can_be_opened_without_script(visit: Any) -> None:
    page = visit(java_script_enabled=False).page
    assert page.locator("[data-round]:visible").count() == 4
    page.locator("[data-round] > summary").nth(2).click()
    assert page.locator("[data-round]").nth(2).locator(".pairs").is_visible()


def test_two_models_of_the_readers_choice(visit: Any) -> None:
    page = visit().page
    before = page.locator("[data-swing-rows]").inner_text()
    page.get_by_label("Second", exact=True).select_option(label="net04:base")
    assert page.locator("[data-swing-rows]").inner_text() != before
    assert "net04:base" in page.locator("[data-swing-caption]").inner_text()
