"""Recipes: which are read, which are refused, and the rate that they give."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from zipformer_keras.training.recipe import FOLDER, Recipe, read_recipe


def test_the_rate_rises_stays_and_falls() -> None:
    plan = Recipe(steps=100, warmup=10, fall=0.5, learning_rate=1.0)
    assert plan.rate(0) == pytest.approx(0.1)
    assert plan.rate(30) == 1.0
    assert plan.rate(75) == pytest.approx(0.5)
    assert plan.rate(100) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_read(path: Path) -> None:
    found = read_recipe(path.stem, {"steps": 7, "gain_db": 3.0})
    assert (found.steps, found.variation.gain_db) == (7, 3.0)
    assert asdict(found) != asdict(Recipe(steps=7))


def test_wrong_recipes_are_refused() -> None:
    with pytest.raises(ValueError, match="no recipe 'huge'"):
        read_recipe("huge", {})
    with pytest.raises(ValueError, match="has no stepps"):
        read_recipe("tiny", {"stepps": 3})
    with pytest.raises(ValueError, match="loss must be one of"):
        read_recipe("tiny", {"loss": "l3"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", "many", "steps must be a whole number, not 'many'"),
        ("steps", 1.5, r"steps must be a whole number, not 1\.5"),
        ("learning_rate", "fast", "learning_rate must be a finite number, not 'fast'"),
        ("learning_rate", float("nan"), "learning_rate must be a finite number, not nan"),
        ("learning_rate", -1, r"learning_rate must lie between 0\.0 and 1\.0, not -1"),
        ("average", 2, r"average must lie between 0\.0 and 1\.0, not 2"),
        ("clip", 0, "clip must lie between"),
        ("seed", -1, "seed must lie between 0 and 4294967295, not -1"),
        ("frames", 10**6, "frames must lie between 1 and 8192, not 1000000"),
        ("clusters", 1, "clusters must lie between 2 and"),
        ("loss", 3, "loss must be a text, not 3"),
        ("remix", 5, "remix must lie between 0 and 1, not 5"),
        ("gain_db", "loud", "gain_db must be a finite number, not 'loud'"),
        ("speed", 1, r"speed must lie between 0 and 0\.9, not 1"),
        ("variation", 3, "has no variation"),
    ],
)
def test_wrong_values_of_a_recipe_are_named(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_recipe("tiny", {name: value})


def test_a_recipe_whose_variation_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flat.toml").write_text("variation = 3\n")
    with pytest.raises(ValueError, match=r"variation in .*flat\.toml must be a table, not 3"):
        read_recipe(str(tmp_path / "flat.toml"), {})
