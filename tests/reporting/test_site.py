from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchbench.reporting import report

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
    assert "Friedman" not in (site / "index.html").read_text(encoding="utf-8")  # 8 tracks
