from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from xml.etree import ElementTree as Xml

import pyarrow.parquet as pq
import pytest

from benchbench.reporting import report
from benchbench.reporting.data.models import slugs

from .test_page import Elements, hash_of, policy_of


@pytest.fixture(scope="module")
def site(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "public"
    assert report([results], folder) == folder / "index.html"
    return folder


def test_a_page_for_each_model_and_track(site: Path) -> None:
    assert len(list((site / "models").glob("*.html"))) == 5
    assert len(list((site / "tracks").glob("*.html"))) == 8
    assert (site / "history.html").is_file()
    assert (site / ".nojekyll").is_file()


def test_every_link_leads_to_a_file(site: Path) -> None:
    for path in site.rglob("*.html"):
        for tag, attributes in Elements(path.read_text(encoding="utf-8")).found:
            href = attributes.get("href") or ""
            if tag == "a" and not href.startswith(("#", "data:")):
                assert (path.parent / href.split("#")[0]).is_file(), (path, href)


def test_every_page_keeps_the_policy(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        script = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)
        assert script
        assert hash_of(script.group(1)) in policy_of(text)
        assert not [one for one in Elements(text).found if "style" in one[1]]


def test_rows_are_files(site: Path) -> None:
    table = pq.read_table(site / "data" / "tracks.parquet")
    assert {"model", "track", "median_over_frames", "mean_over_frames"} <= set(table.column_names)
    assert table.num_rows > 100


def test_failures_are_told(site: Path) -> None:
    assert "Every number" in (site / "models" / "net01-base.html").read_text(encoding="utf-8")


def test_places_count_the_ranked_models_only(site: Path) -> None:
    places = {
        path.stem: set(re.findall(r">(\d+) of (\d+)</td>", path.read_text(encoding="utf-8")))
        for path in (site / "models").glob("*.html")
    }
    unranked = {name for name, found in places.items() if not found}
    assert unranked == {"oracle-irm"}
    ranked = len(places) - len(unranked)
    assert {total for found in places.values() for _, total in found} == {str(ranked)}


def test_few_tracks_get_no_test_of_all_models_together(site: Path) -> None:
    assert "Friedman" not in (site / "differences.html").read_text(encoding="utf-8")  # 8 tracks


def test_the_index_holds_the_leaderboard_and_leaves_the_rest_to_other_pages(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', index, re.DOTALL)[1])
    assert data["values"] == []
    assert {len(ways) for ways in data["boards"]} == {1}  # all of a small site's series
    assert 'id="leaderboard"' in index
    assert 'id="tracks"' not in index
    for part in ("listening", "targets", "differences", "frequency", "time", "tracks"):
        assert f'id="{part}"' in (site / f"{part}.html").read_text(encoding="utf-8")
        assert f'href="{part}.html"' in index
    assert "connect-src 'self'" in policy_of(index)
    assert "connect-src" not in policy_of((site / "tracks.html").read_text(encoding="utf-8"))


def test_the_boards_of_other_aggregations_are_files(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', index, re.DOTALL)[1])
    for place, series in enumerate(data["series"]):
        held = json.loads((site / data["more"] / f"{place}.json").read_text(encoding="utf-8"))
        assert list(held["boards"]) == series["ways"]
        assert held["boards"][series["usual"]] == data["boards"][place][series["usual"]]
        assert held["gaps"] == data["gaps"].get(str(place), {})


def test_every_target_has_a_page_of_differences(site: Path) -> None:
    pages = sorted(path.name for path in site.glob("differences*.html"))
    assert len(pages) == 4
    for name in pages:
        text = (site / name).read_text(encoding="utf-8")
        assert text.count("data-round=") == 1
        assert all(f'href="{other}"' in text for other in pages)


def test_pairs_are_a_file_that_agrees_with_the_page(site: Path) -> None:
    rows = pq.read_table(site / "data" / "pairs.parquet").to_pylist()
    assert len(rows) == 4 * 10
    text = (site / "differences.html").read_text(encoding="utf-8")
    first = next(row for row in rows if row["target"] == "vocals")
    assert f"{first['difference']:+.2f}".replace("-", "−") in text


def test_a_remote_reader_fetches_one_model_alone(site: Path) -> None:
    file = pq.ParquetFile(site / "data" / "tracks.parquet")
    column = file.schema_arrow.names.index("model")
    groups = [file.metadata.row_group(place).column(column).statistics
              for place in range(file.num_row_groups)]  # fmt: skip
    assert [group.min for group in groups] == [group.max for group in groups]
    assert len(groups) == 5
    duckdb = pytest.importorskip("duckdb")
    query = f"SELECT count(*) FROM '{site}/data/tracks.parquet' WHERE model = 'net01:base'"
    ((count,),) = duckdb.sql(query).fetchall()
    assert (
        count
        == pq.read_table(site / "data" / "tracks.parquet")
        .to_pandas()["model"]
        .eq("net01:base")
        .sum()
    )


def test_a_card_a_feed_and_badges(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "public"
    report([results], folder, url="https://board.example/music", audio="none")
    index = Elements((folder / "index.html").read_text(encoding="utf-8"))
    meta = {one.get("property"): one.get("content") for tag, one in index.found if tag == "meta"}
    assert meta["og:image"] == "https://board.example/music/card.png"
    assert meta["og:title"] == "5 separators on simulated"
    picture = (folder / "card.png").read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)
    feed = Xml.fromstring((folder / "feed.xml").read_text(encoding="utf-8"))
    links = [item.findtext("link") for item in feed.iter("item")]
    assert len(links) == 5
    for link in links:
        assert (folder / link.removeprefix("https://board.example/music/")).is_file()
    badges = sorted((folder / "badges").glob("*.svg"))
    assert len(badges) == 5
    text = (folder / "badges" / "net01-base.svg").read_text(encoding="utf-8")
    Xml.fromstring(text)
    assert re.search(r"dB SDR, \d of 4</text>", text)


def test_names_cannot_become_markup_in_feed_and_badges(hostile: Path, tmp_path: Path) -> None:
    report([hostile.parent], tmp_path / "public", audio="none")
    Xml.fromstring((tmp_path / "public" / "feed.xml").read_text(encoding="utf-8"))
    for path in (tmp_path / "public" / "badges").glob("*.svg"):
        root = Xml.fromstring(path.read_text(encoding="utf-8"))
        assert not [one for one in root.iter() if one.tag.endswith("script")]


def test_a_link_to_a_model_does_not_depend_on_the_order() -> None:
    names = ["a/b", "a b", "…", "irm:2stems"]
    forward, backward = slugs(names), slugs(names[::-1])
    assert forward == backward
    assert len(set(forward.values())) == 4
    assert forward["irm:2stems"] == "irm-2stems"
    assert all(re.fullmatch(r"[a-z0-9-]+", one) for one in forward.values())
