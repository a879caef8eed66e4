"""A run that learns, one that is stopped and resumes exactly, and weights that separate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from zipformer_keras import VARIANTS, Separator
from zipformer_keras.configuration import Configuration
from zipformer_keras.runtime import build_keras
from zipformer_keras.training.augmentation import Library
from zipformer_keras.training.batches import excerpt_length
from zipformer_keras.training.loop import Run
from zipformer_keras.training.objectives.separation import Separation
from zipformer_keras.training.recipe import CPU_BFLOAT16, Recipe, read_recipe
from zipformer_keras.training.state import STATE
from zipformer_keras.training.train import set_precision, teach
from zipformer_keras.training.validation import gains
from zipformer_keras.training.variation import PLAIN
from zipformer_keras.weights import WEIGHTS_FILE, collect, read_weights

from .songs import LIBRARY, RATE, SONGS, STEMS, backed

Networks = dict[str, Configuration]


def recipe(**changes: Any) -> Recipe:
    small = {"steps": 30, "batch_size": 2, "frames": 24, "warmup": 5, "validate_every": 10,
             "save_every": 5, "average": 0.8, "learning_rate": 5e-3}  # fmt: skip
    return Recipe(**(small | changes))


def one_stack(networks: Networks) -> Configuration:
    """A network that is quick to trace."""
    return replace(networks["offline"], stacks=((2, 1),))


@pytest.mark.parametrize("loss", ["snr", "multi-resolution"])
def test_a_run_learns(loss: str, networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)
    frames = 24 if loss == "snr" else 60
    plan = recipe(loss=loss, frames=frames, steps=24, variation=PLAIN)
    keras.utils.set_random_seed(0)
    run = Run(plan, c, build_keras(c), Separation(Library((SONGS[0],)), c, plan), tmp_path)
    losses = [run.advance() for _ in range(24)]
    assert np.mean(losses[-8:]) < 0.9 * np.mean(losses[:8]) or loss == "snr"
    assert np.mean(losses[-8:]) < np.mean(losses[:8]) - (0.5 if loss == "snr" else 0.0)


def test_a_run_that_was_stopped_goes_on_exactly(networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)

    def start() -> Run:
        import keras

        keras.utils.set_random_seed(0)
        return Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path)

    whole = start()
    for _ in range(7):
        whole.advance()
    whole.save()
    expected = [whole.advance() for _ in range(5)]
    again = start()
    assert again.step == 7
    assert [again.advance() for _ in range(5)] == expected
    for a, b in zip(collect(whole.network).values(), collect(again.network).values(), strict=True):
        np.testing.assert_array_equal(a, b)
    with whole.averaged(), again.averaged():
        np.testing.assert_array_equal(*(collect(r.network)["norm/bias"] for r in (whole, again)))


def test_a_run_of_another_network_is_refused(networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)
    Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path).save()
    other = replace(c, feedforward=20)
    with pytest.raises(ValueError, match="another network"):
        Run(recipe(), other, build_keras(other), Separation(LIBRARY, other, recipe()), tmp_path)


def test_bfloat16_on_a_processor_computes_nearly_the_same(
    networks: Networks, tmp_path: Path
) -> None:
    """The first losses; on processors without bfloat16 they are equal."""
    c, losses = one_stack(networks), {}
    for precision in ("float32", CPU_BFLOAT16):
        set_precision(precision)
        keras.utils.set_random_seed(0)
        task = Separation(LIBRARY, c, recipe())
        run = Run(recipe(), c, build_keras(c), task, tmp_path / precision)
        losses[precision] = [run.advance() for _ in range(4)]
        assert {variable.dtype for variable in run.network.variables} <= {"float32", "uint32"}
    set_precision("float32")
    np.testing.assert_allclose(losses[CPU_BFLOAT16], losses["float32"], rtol=0.03)


class Renamed(Separation):
    """Separation under another name, as another objective would be."""

    name = "patches"


def test_a_state_of_another_objective_or_damaged_is_refused(
    networks: Networks, tmp_path: Path
) -> None:
    """Pretraining and fine-tuning with the same --out, and a file that a full disk cut off."""
    c = one_stack(networks)
    Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path).save()
    with pytest.raises(ValueError, match=r"another network or objective \(separation\)"):
        Run(recipe(), c, build_keras(c), Renamed(LIBRARY, c, recipe()), tmp_path)
    whole = (tmp_path / STATE).read_bytes()
    for kept in (b"", b"no archive", whole[: len(whole) // 2], whole[:-50_000] + bytes(50_000)):
        (tmp_path / STATE).write_bytes(kept)
        with pytest.raises(ValueError, match=rf"{STATE} cannot be read"):
            Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path)


def test_averaged_weights_are_in_place_only_for_a_while(networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)
    run = Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path)
    for _ in range(3):
        run.advance()
    before = collect(run.network)
    with run.averaged():
        assert not np.array_equal(collect(run.network)["norm/bias"], before["norm/bias"])
    np.testing.assert_array_equal(collect(run.network)["norm/bias"], before["norm/bias"])


def plain_score(
    references: dict[str, np.ndarray], estimates: dict[str, np.ndarray]
) -> dict[str, float]:
    return {
        stem: 10 * np.log10(
            np.square(references[stem]).sum() / np.square(references[stem] - estimates[stem]).sum()
        )
        for stem in references
    }  # fmt: skip


def test_teaching_writes_weights_that_separate(
    networks: Networks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = one_stack(networks)
    variants = {"small": small, "small-live": replace(small, chunk=4, left=2)}
    monkeypatch.setattr("zipformer_keras.training.train.VARIANTS", variants)
    monkeypatch.setattr("zipformer_keras.weights.VARIANTS", variants)
    lines = []
    folder = teach("small", recipe(steps=60, validate_every=30), SONGS[1:], tmp_path / "run",
                   validation=SONGS[:1], score=plain_score, report=lines.append)  # fmt: skip
    assert [line.step for line in lines] == [30, 60]
    assert lines[-1].scores["mean"] > lines[0].scores["mean"] > 0.0
    assert list((tmp_path / "run" / "logs").glob("events*"))
    weights, notes = read_weights(folder / WEIGHTS_FILE)
    assert notes["steps"] == "60"
    again = gains(Separator(small, weights), STEMS, [*SONGS[:1], backed], plain_score)
    assert {"backed_vocals", "backed_accompaniment"} < set(again)
    assert again["mean"] == pytest.approx(lines[-1].scores["mean"], abs=1e-3)
    loaded = Separator.from_folder("small", folder)
    assert set(loaded.separate(SONGS[0]()["bass"], RATE)) == set(STEMS)
    live = teach("small-live", recipe(steps=1, warmup=1), SONGS, tmp_path / "live",
                 initial=folder, score=plain_score, logs=False)  # fmt: skip
    assert any(name.endswith("/causal") for name in read_weights(live / WEIGHTS_FILE)[0])


@pytest.mark.slow
def test_the_recipe_for_musdb18_hq_runs(tmp_path: Path) -> None:
    """`base`, multi-resolution loss, lower precision: two steps."""
    plan = read_recipe("musdb18-hq", {"steps": 2, "batch_size": 1, "frames": 16, "warmup": 1})
    teach("base", plan, SONGS, tmp_path, score=plain_score, logs=False)
    weights, _ = read_weights(tmp_path / "weights" / WEIGHTS_FILE)
    assert all(np.isfinite(array).all() for array in weights.values())
    assert excerpt_length(VARIANTS["base"], 256) / RATE == pytest.approx(6.0, abs=0.02)
