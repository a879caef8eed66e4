"""Lists: kinds, sizes, filters, JSON, lines that fit, and a broken manifest among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchbench.api.new import new
from benchbench.cli.listing import listing, rows_of
from benchbench.errors import UnknownNameError, UsageError, WeightsError
from benchbench.plugins.catalog import Catalog
from benchbench.separation.weights import ensure_weights


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("what", ["models", "datasets", "metrics"])
def test_every_line_fits(what: str, columns: int) -> None:
    text = listing(what, columns=columns).partition("\nGroups:")[0]
    assert max(map(len, text.splitlines())) <= columns
    assert len(text.splitlines()) > 5


def test_models_have_kind_size_and_readiness() -> None:
    rows = {row["model"]: row for row in rows_of("models")}
    assert rows["irm:2stems"]["kind"] == "oracle"
    assert rows["silence:2stems"]["kind"] == "baseline"
    assert rows["spleeter:2stems"]["kind"] == "separator"
    assert rows["spleeter:2stems"]["download"] > 50
    assert rows["zipformer:tiny"]["ready"]
    assert rows["zipformer:tiny"]["download"] is None


def test_a_variant_without_published_weights_is_not_ready() -> None:
    rows = {row["model"]: row for row in rows_of("models")}
    assert not rows["zipformer:base-live"]["ready"]
    assert rows["zipformer:base-live"]["needs_weights"]
    lines = {line.split()[0]: line for line in listing("models", columns=120).splitlines()}
    assert " train " in lines["zipformer:base-live"]
    assert " yes " in lines["zipformer:tiny"]
    with pytest.raises(
        WeightsError, match="No weights are published for zipformer:base-live"
    ) as caught:
        ensure_weights(Catalog().model("zipformer:base-live"))
    assert "bench train zipformer:base-live" in str(caught.value)


def test_a_narrow_terminal_leaves_columns_out_instead_of_cutting_them() -> None:
    wide, narrow = (listing("models", columns=room).splitlines()[0].split() for room in (140, 80))
    assert wide == ["model", "kind", "stems", "download", "ready", "summary"]
    assert narrow == ["model", "stems", "download", "ready"]


def test_only_models_with_some_stems() -> None:
    chosen = rows_of("models", stems=["vocals", "piano"])
    assert "spleeter:5stems" in {row["model"] for row in chosen}
    assert all({"vocals", "piano"} <= set(row["stems"]) for row in chosen)
    assert len(chosen) < len(rows_of("models"))
    with pytest.raises(UsageError, match="--stems"):
        listing("datasets", stems=["vocals"])


def test_json_is_a_list_of_objects() -> None:
    rows = json.loads(listing("models", form="json"))
    assert {"model", "stems", "kind", "licence"} <= set(rows[0])


def test_a_broken_manifest_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    broken = new("model", "half")
    (broken / "adapter.toml").write_text('name = "half"\ndefualt_variant = "x"\n')
    text = listing("models")
    assert "spleeter:2stems" in text
    assert "not listed: half: " in text
    assert "adapter.toml" in text
    assert next(row for row in rows_of("models") if row.get("error"))["model"] == "half"


def test_another_kind_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'models'"):
        listing("model")
