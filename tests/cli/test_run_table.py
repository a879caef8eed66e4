"""The table at the end of a run: columns, footnotes, and lines that fit the terminal."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from benchbench.cli.run_summary import RunTable, summary
from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results

PAIR = "vocals+accompaniment"


def score(model: str, value: float | None, **changes: object) -> dict[str, object]:
    row = dict.fromkeys(SCORES.names)
    return {
        **row, "cell_id": "c", "run_id": "r", "model": model, "dataset": "d", "track": "t",
        "target": "vocals", "reference_set": PAIR, "protocol": "usdr", "metric": "SDR",
        "metric_version": 1, "value": value, **changes,
    }  # fmt: skip


def stored(root: Path, rows: list[dict[str, object]]) -> Results:
    results = Results(root)
    for number, row in enumerate(rows):
        cell = f"cell{number}"
        table = pa.Table.from_pylist([{**row, "cell_id": cell}], SCORES)
        results.write_scores(cell, str(row["model"]), "d", table)
    separation = {
        field.name: None if field.nullable else "x" if field.type == pa.string() else False
        for field in SEPARATIONS
    } | {
        "model": "a:v", "dataset": "d", "track": "t", "status": "ok", "wall_s": 0.5,
        "audio_s": 7.0, "first_in_worker": False, "jobs": 1,
    }  # fmt: skip
    results.write_separation(separation)
    return results


def table(
    root: Path, rows: list[dict[str, object]], columns: int = 80, **words: object
) -> RunTable:
    results = stored(root, rows)
    names = list(dict.fromkeys(str(row["model"]) for row in rows))
    return summary(results, models=names, dataset="d", columns=columns, **words)  # type: ignore[arg-type]


def test_models_stand_under_their_target_the_best_first(tmp_path: Path) -> None:
    rows = [score("b:v", 1.234), score("a:v", 5.678), score("a:v", 2.0, target="other")]
    lines = table(tmp_path, rows).text.splitlines()
    assert lines[0].split() == ["usdr", "SDR", "speed"]
    assert [line.split() for line in lines[2:7]] == [
        ["vocals"], ["a:v", "5.68", "14x"], ["b:v", "1.23"], ["other"], ["a:v", "2.00", "14x"],
    ]  # fmt: skip
    assert "usdr: mean over tracks" in lines[-2]


def test_a_missing_number_says_why(tmp_path: Path) -> None:
    v4 = {"protocol": "bsseval-v4", "start_s": 0.0, "duration_s": 1.0}
    rows = [
        score("a:v", 5.0), score("a:v", 5.0, **v4), score("b:v", 1.0),
        score("b:v", None, reason="silent_estimate", **v4),
    ]  # fmt: skip
    found = table(tmp_path, rows)
    assert ["b:v", "1.00", "-", "[1]"] in [line.split() for line in found.text.splitlines()]
    assert "[1] No value on 1 of 1 track (silent_estimate): an estimate is silent" in found.text
    assert found.scored


@pytest.mark.parametrize("columns", [80, 120])
def test_every_line_fits_the_terminal(tmp_path: Path, columns: int) -> None:
    rows = [
        score("a-name-of-many-letters-and-more-letters:a-variant-with-a-long-name", 1.0, protocol=p,
              metric=m)
        for p, m in (("usdr", "SDR"), ("bsseval-v4", "SDR"), ("si", "SI-SDR"))
    ]  # fmt: skip
    lines = table(tmp_path, rows, columns).text.splitlines()
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("  a-name-of-many") for line in lines)


def test_other_metrics_are_shown_with_their_unit_and_direction(tmp_path: Path) -> None:
    rows = [
        score("a:v", 0.4, protocol="spectral", metric="MRS"), score("b:v", 0.2, protocol="spectral",
        metric="MRS"), score("a:v", 30.0, protocol="logwmse", metric="logWMSE"),
    ]  # fmt: skip
    from benchbench.metrics import PROTOCOLS

    first = PROTOCOLS["spectral"].metrics[0].name
    for row in rows[:2]:
        row["metric"] = first
    text = table(tmp_path, rows, metrics=["logwmse", "spectral"]).text
    assert f"spectral {first}" in text
    assert "logwmse logWMSE" in text
    assert "is better" in text
    assert "nan" not in text
    assert "dB. ." not in text
    assert "30.00" in text


def test_a_second_reference_set_is_shown_only_where_it_adds_a_model(tmp_path: Path) -> None:
    four = {"reference_set": "vocals+drums+bass+other"}
    rows = [score("a:v", 5.0), score("b:v", 4.0), score("b:v", 4.0, **four)]
    assert table(tmp_path / "1", rows).text.count("b:v") == 1
    rows.append(score("c:v", 3.0, **four))
    text = table(tmp_path / "2", rows).text
    assert "vocals (against vocals, drums, bass, other)" in text


def test_stems_of_other_names_are_told(tmp_path: Path) -> None:
    rows = [
        score("a:v", None, target="speech", reason="missing_estimate"),
        score("a:v", None, target="vocals", reason="missing_reference"),
    ]
    found = table(tmp_path, rows)
    assert not found.scored
    assert "The data set has the stems speech; the models give vocals." in found.why
