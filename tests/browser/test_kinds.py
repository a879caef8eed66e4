"""Pages on which not every separator can be ranked against every other, in a real Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulate import Plan, simulate

from benchbench.api.import_results import import_results
from benchbench.reporting import report
from benchbench.results.interchange import Source
from benchbench.results.store import Results

from .conftest import Visit, axe_source

pytestmark = pytest.mark.browser

GENERATIVE = ("sung", "vocoded")
MASKING = ("soft", "hard", "plain")


@pytest.fixture
def two_kinds(tmp_path: Path) -> Path:
    """The page of five imported models that have SDR and SI-SDR only; two are generative."""
    rows = ["model,track,target,dataset,reference_set,protocol,metric,value"]
    rng = np.random.default_rng(0)
    for place, model in enumerate((*GENERATIVE, *MASKING)):
        for song in range(12):
            for protocol, metric in (("usdr", "SDR"), ("si", "SI-SDR")):
                value = 3 * place - 4 + rng.normal(0, 0.3)
                rows.append(
                    f"{model},s{song},vocals,d,vocals+accompaniment,{protocol},{metric},{value}"
                )
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n")
    import_results(
        "table", tmp_path / "scores.csv", tmp_path / "r", source=Source("lab"),
        generative=GENERATIVE,
    )  # fmt: skip
    return report([tmp_path / "r"], tmp_path / "page.html")


@pytest.fixture
def rated(tmp_path: Path) -> Path:
    """The page of a run whose stems listeners have rated, by their SDR."""
    root = tmp_path / "run"
    simulate(root, Plan(models=3, tracks=6, frames=3, runs=1, stems="four", failures=0.0))
    scores = Results(root).scores_frame().query("protocol == 'usdr' and target == 'vocals'")
    sdr = scores.groupby(["track", "model"], observed=True)["value"].mean()
    pages, lines = ["pages:"], ["session_uuid,trial_id,rating_stimulus,rating_score"]
    for number, (track, values) in enumerate(sdr.groupby(level="track", observed=True)):
        pages += ["  - type: mushra", f"    id: page-{number}", f'    name: "vocals: {track}"']
        lines += [f"{who},page-{number},reference,100" for who in ("anna", "ben")]
        for place, (_, model) in enumerate(values.sort_values().index):
            lines += [f"{who},page-{number},{model},{20 + 20 * place}" for who in ("anna", "ben")]
    (tmp_path / "test.yaml").write_text("\n".join(pages) + "\n")
    (tmp_path / "mushra.csv").write_text("\n".join(lines) + "\n")
    import_results("webmushra", tmp_path / "mushra.csv", root, source=Source("panel"))
    return report([root], tmp_path / "page.html", audio="none")


def shown(page: Any) -> list[tuple[str, str]]:
    """Rank and name of every row of the board; the rows that name a kind have no rank."""
    rows = page.locator("[data-board-rows] tr")
    return [
        ("", row.inner_text().strip())
        if "kind" in (row.get_attribute("class") or "")
        else (row.locator(".rank").inner_text(), row.locator("th bdi").inner_text())
        for row in rows.all()
    ]


EXPECTED = [
    ("", "Masking separators"), ("1", "lab:plain"), ("2", "lab:hard"), ("3", "lab:soft"),
    ("", "Generative separators"), ("1", "lab:vocoded"), ("2", "lab:sung"),
]  # fmt: skip


def test_without_a_common_metric_there_are_two_boards(browser: Any, two_kinds: Path) -> None:
    plain = Visit(browser, two_kinds, java_script_enabled=False)
    assert shown(plain.page) == EXPECTED
    first = plain.page.locator("#summary").inner_text()
    assert "cannot rank generative separators against masking ones" in first
    assert "--metrics report,visqol adds it" in first
    plain.context.close()
    one = Visit(browser, two_kinds)
    page = one.page
    assert shown(page) == EXPECTED
    page.get_by_label("Metric", exact=True).select_option("si SI-SDR")
    page.get_by_label("Aggregation", exact=True).select_option("median over tracks")
    assert shown(page) == EXPECTED
    page.locator("#board th[data-sort=name] button").click()
    assert [name for _, name in shown(page)] == [
        "Masking separators", "lab:hard", "lab:plain", "lab:soft",
        "Generative separators", "lab:sung", "lab:vocoded",
    ]  # fmt: skip
    assert one.complaints == []
    one.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_agreement_with_listeners_is_a_table(browser: Any, rated: Path, width: int) -> None:
    one = Visit(browser, rated, viewport={"width": width, "height": 800}, bypass_csp=True)
    page = one.page
    table = page.locator("#agreement-1")
    texts = [" ".join(row.split()) for row in table.locator("tbody tr").all_inner_texts()]
    assert any(text.startswith("usdr SDR 1.00 1.00 to 1.00") for text in texts)
    assert texts[0].split()[2] == "1.00"  # the best metric stands first
    assert "All (18 pairs)" in table.inner_text()
    assert "Masking" not in table.inner_text()  # all separators are of one kind
    assert len(texts) > 3
    assert not any(
        name.startswith("panel:") for name in page.locator("#board bdi").all_inner_texts()
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dot, bar = (table.locator(f".share {part}").first.bounding_box() for part in (".dot", ".zero"))
    assert dot["x"] > bar["x"]  # 1.00 is drawn to the right of a half
    page.evaluate(axe_source().read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('#believe', { resultTypes: ['violations'] })")
    assert [item["id"] for item in found["violations"]] == []
    assert one.complaints == []
    one.context.close()
