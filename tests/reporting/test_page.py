from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.reporting import report


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def policy_of(text: str) -> str:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert found
    return html.unescape(found.group(1))


def hash_of(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_policy_admits_exactly_this_style_and_script(page: str) -> None:
    policy = policy_of(page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    assert style
    assert script
    assert hash_of(style.group(1)) in policy
    assert hash_of(script.group(1)) in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    for tag, attributes in Elements(page).found:
        for name in ("src", "srcset", "data", "poster", "xlink:href", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:"), (tag, name, value)
        if tag in {"link", "image", "use", "base"}:
            assert (attributes.get("href") or "").startswith(("data:", "#")), (tag, attributes)
        assert tag not in {"iframe", "object", "embed"}
    assert "@import" not in page
    assert "url(" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_no_attribute_carries_style_or_script(page: str) -> None:
    for tag, attributes in Elements(page).found:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)


def test_names_cannot_become_markup(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<img" not in text.replace("<img class=", "")
    tags = [tag for tag, _ in Elements(text).found]
    assert tags.count("script") == 2


def test_names_are_isolated(hostile: Path) -> None:
    text = re.sub(r"<(script|style).*?</\1>", "", hostile.read_text(encoding="utf-8"), flags=re.S)
    visible = re.findall(r">([^<>]*\u202e[^<>]*)<(/?[a-z]+)", text)
    assert visible
    assert {closing for _, closing in visible} <= {"/bdi", "/option", "/title", "/desc", "/text"}


def test_data_block_is_valid_json(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert block
    data = json.loads(block.group(1))
    assert any("alert(1)" in model["name"] for model in data["models"])


def test_first_screen_is_there_without_script(page: str) -> None:
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    assert heading
    assert "net0" in heading.group(1)
    for name in ("oracle:irm", "net01:base", "net04:base"):
        assert body.count(name) >= 2
    assert "Plain SDR rewards silence" in body
    assert "median of frame medians" in body


def test_identifiers_are_unique_and_links_lead_somewhere(page: str) -> None:
    elements = Elements(page).found
    ids = [attributes["id"] for _, attributes in elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in elements:
        href = attributes.get("href") or ""
        if tag == "a" and href.startswith("#"):
            assert href[1:] in ids, href
        for name in ("aria-labelledby", "aria-describedby", "for"):
            for target in (attributes.get(name) or "").split():
                assert target in ids, (tag, name, target)


def test_the_same_results_give_the_same_page(results: Path, page: str, tmp_path: Path) -> None:
    again = report([results], tmp_path / "again.html").read_text(encoding="utf-8")
    assert again == page


def test_page_is_small(page: str) -> None:
    assert len(page.encode()) < 1_000_000


def test_only_chosen_models(results: Path, tmp_path: Path) -> None:
    out = report([results], tmp_path / "two.html", models=["net01:base", "net02:base"])
    text = out.read_text(encoding="utf-8")
    assert "net01:base" in text
    assert "net04:base" not in text


def test_one_model_alone(results: Path, tmp_path: Path) -> None:
    text = report([results], tmp_path / "one.html", models=["net01:base"]).read_text("utf-8")
    assert "It is the only separator here" in text


def test_unknown_model_is_named_with_a_suggestion(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'net01:base'"):
        report([results], tmp_path / "x.html", models=["net01:bas"])


def test_a_named_baseline_is_what_all_others_are_shown_against(
    results: Path, tmp_path: Path
) -> None:
    out = report([results], tmp_path / "against.html", baseline="net03:base")
    text = out.read_text(encoding="utf-8")
    body = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    summary = body[: body.index('id="leaderboard"')]
    assert re.search(r"compared with <bdi[^>]*>net03:base</bdi>, \d (is|are) better", summary)
    for table in re.findall(r'<table class="board against".*?</table>', body, re.DOTALL):
        rows = re.findall(r'<tr[^>]*><th scope="row">.*?>([^<>]+)</bdi></th>', table)
        assert "net03:base" not in rows
        assert len(rows) == 4
        assert "net03:base" in table
    assert body.count('<table class="board against"') == 4


def test_without_a_baseline_the_leader_is_the_one(page: str) -> None:
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    assert "compared with <bdi" not in body[: body.index('id="leaderboard"')]
    heading = re.search(r"<h3>Against .*?<bdi[^>]*>([^<]+)</bdi>", body, re.DOTALL)
    assert heading
    answer = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    assert answer
    assert heading.group(1) in answer.group(1)


def test_tests_of_every_target_are_on_the_page(page: str) -> None:
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    summaries = re.findall(r"data-round=.*?<summary>(.*?)</summary>", body, re.DOTALL)
    assert [text.split(" of ")[1].split(",")[0] for text in summaries] == [
        "vocals",
        "drums",
        "bass",
        "other",
    ]


def test_unknown_baseline(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        report([results], tmp_path / "x.html", baseline="nobody")


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results"):
        report([tmp_path], tmp_path / "x.html")
    (tmp_path / "runs").mkdir()
    with pytest.raises(NothingToCompareError):
        report([tmp_path], tmp_path / "x.html")
