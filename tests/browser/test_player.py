from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import until

pytestmark = pytest.mark.browser

ENGINE = "document.querySelector('[data-player]').player.engine"


@pytest.fixture
def playing(visit: Any) -> Any:
    page = visit().page
    page.locator(".play").first.click()
    until(page, f"{ENGINE}.playing && {ENGINE}.position() > 0.2")
    return page


def test_all_versions_are_in_step(playing: Any) -> None:
    plan = playing.evaluate(f"{ENGINE}.schedule()")
    assert len(plan) >= 6
    assert max(one["when"] for one in plan) - min(one["when"] for one in plan) < 0.001
    assert max(one["offset"] for one in plan) - min(one["offset"] for one in plan) < 0.001
    lengths = playing.evaluate(f"{ENGINE}.buffers.map(b => b.length)")
    assert len(set(lengths)) == 1


def test_decoded_versions_line_up_to_a_millisecond(playing: Any) -> None:
    # An estimate minus its reference plus its residual is silence only if no version is shifted.
    error = playing.evaluate(
        f"""() => {{
          const e = {ENGINE};
          const kinds = [...document.querySelectorAll('[data-player] .sounds')][0].children;
          const at = (kind) => [...kinds].findIndex((li) => li.dataset.kind === kind);
          const [r, s, d] = ['reference', 'estimate', 'residual'].map((k) => e.buffers[at(k)].getChannelData(0));
          let error = 0, power = 0;
          for (let i = 44100; i < 44100 * 5; i += 1) {{
            error += (s[i] - r[i] - d[i]) ** 2; power += r[i] ** 2;
          }}
          return error / power;
        }}"""
    )
    assert error < 0.01


def test_switching_keeps_the_place_and_moves_the_sound(playing: Any) -> None:
    before = playing.evaluate(f"{ENGINE}.position()")
    playing.get_by_role("button", name=re.compile("^mixture")).first.click()
    after = playing.evaluate(f"{ENGINE}.position()")
    assert 0 <= after - before < 2
    playing.wait_for_timeout(100)
    gains = playing.evaluate(f"{ENGINE}.volumes.map(v => v.gain.value)")
    assert gains[0] > 0
    assert all(gain == 0 for gain in gains[1:])


def test_keys(playing: Any) -> None:
    playing.locator(".play").first.focus()
    playing.keyboard.press("2")
    assert playing.evaluate(f"{ENGINE}.current") == 1
    playing.keyboard.press("p")
    assert playing.evaluate(f"{ENGINE}.playing") is False
    assert playing.locator(".play").first.inner_text() == "Play"


def test_keys_work_after_a_click_on_play(visit: Any) -> None:
    page = visit().page
    page.locator(".play").first.click()
    until(page, f"{ENGINE}.playing")
    assert page.evaluate("document.activeElement.className") == "play"
    page.keyboard.press("2")
    assert page.evaluate(f"{ENGINE}.current") == 1
    page.keyboard.press("p")
    assert page.evaluate(f"{ENGINE}.playing") is False


def test_p_plays_and_pauses_and_plays_again(visit: Any) -> None:
    page = visit().page
    page.locator(".play").first.focus()
    for playing in (True, False, True):
        page.keyboard.press("p")
        until(page, f"{ENGINE}.playing === {str(playing).lower()}")


def test_keys_go_to_the_player_used_last_wherever_the_focus_is(playing: Any) -> None:
    playing.locator("[data-theme-toggle]").focus()
    playing.keyboard.press("2")
    assert playing.evaluate(f"{ENGINE}.current") == 1
    playing.locator("input[type=search]").first.focus()
    playing.keyboard.press("1")  # typed into the field
    assert playing.evaluate(f"{ENGINE}.current") == 1
    playing.evaluate("document.activeElement.blur()")
    playing.keyboard.press("p")
    assert playing.evaluate(f"{ENGINE}.playing") is False


def test_a_loop_region_holds(playing: Any) -> None:
    playing.evaluate(f"{ENGINE}.setRegion(1, 1.4)")
    for _ in range(6):
        playing.wait_for_timeout(150)
        assert 0.99 <= playing.evaluate(f"{ENGINE}.position()") <= 1.41


def test_versions_are_equally_loud(playing: Any) -> None:
    levels = playing.evaluate(
        f"""() => {ENGINE}.buffers.map((b, i) => {{
          const x = b.getChannelData(0); let sum = 0;
          for (let k = 44100; k < 44100 * 5; k += 1) sum += x[k] ** 2;
          return 10 * Math.log10(sum / (44100 * 4)) + {ENGINE}.gains[i];
        }})"""
    )
    kinds = (
        playing.locator("[data-player]")
        .first.locator(".sounds li")
        .evaluate_all("items => items.map(one => one.dataset.kind)")
    )
    matched = [level for level, kind in zip(levels, kinds, strict=True) if kind != "residual"]
    assert max(matched) - min(matched) < 1.5


def test_blind_test_counts_and_gives_the_binomial_p(visit: Any) -> None:
    page = visit().page
    player = page.locator("[data-player]").first
    player.get_by_text("Blind test (ABX)").click()
    player.get_by_role("button", name="Start 12 trials").click()
    for _ in range(12):
        player.get_by_role("button", name="X is A").click()
    told = player.locator(".abx-told").inner_text()
    found = re.search(r"(\d+) of 12 right, binomial p (= ([\d.]+)|< 0.001)", told)
    assert found
    from scipy.stats import binom

    right = int(found.group(1))
    expected = float(binom.sf(right - 1, 12, 0.5))
    if found.group(3):
        assert abs(float(found.group(3)) - expected) < 0.001
    else:
        assert expected < 0.001


def test_x_gives_nothing_away(visit: Any) -> None:
    page = visit().page
    player = page.locator("[data-player]").first
    player.get_by_text("Blind test (ABX)").click()
    player.get_by_role("button", name="Start 12 trials").click()
    player.get_by_role("button", name="Hear X").click()
    assert player.locator(".versions button[aria-pressed=true]").count() == 0


def test_a_bad_place_can_be_heard(visit: Any) -> None:
    page = visit().page
    page.locator("[data-jump]:visible").first.click()
    until(
        page,
        "[...document.querySelectorAll('[data-player]')].some(one => one.player.engine.playing)",
    )


def test_one_player_at_a_time(visit: Any) -> None:
    page = visit().page
    buttons = page.locator(".play")
    if buttons.count() < 2:
        pytest.skip("the page has a single excerpt")
    buttons.nth(0).click()
    until(page, f"{ENGINE}.playing")
    buttons.nth(1).click()
    until(page, f"!{ENGINE}.playing")
