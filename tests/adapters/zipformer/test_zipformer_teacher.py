"""Stems that another separator makes: they add up to the mixture, are kept, and are learned from."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from zipformer_keras.training.teacher import taught
from zipformer_keras.weights import WEIGHTS_FILE, read_weights

RATE = 44_100
ENTRY = Path(__file__).resolve().parents[3] / "adapters" / "zipformer" / "train.py"
RNG = np.random.default_rng(0)
MIXTURE = (0.1 * RNG.standard_normal((2, 2 * RATE))).astype(np.float32)


def song() -> dict[str, np.ndarray]:
    return {"mixture": MIXTURE}


def entry() -> ModuleType:
    """The module that the engine loads."""
    spec = importlib.util.spec_from_file_location("train_zipformer_under_test", ENTRY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_teachers_stems_add_up_to_the_mixture_and_are_kept(tmp_path: Path) -> None:
    told: list[str] = []
    made = taught([song], "mid-side", tmp_path, told.append)
    stems = made[0]()
    assert set(stems) == {"vocals", "accompaniment"}
    assert all(stem.dtype == np.int16 for stem in stems.values())
    total = np.sum([stem.astype(np.float32) for stem in stems.values()], axis=0) / 32768.0
    np.testing.assert_allclose(total, MIXTURE, atol=2 / 32768)
    middle = MIXTURE.mean(axis=0)
    assert np.corrcoef(stems["vocals"][0], middle)[0, 1] > 0.9
    assert told == ["mid-side separates song 1 of 1"]
    taught([song], "mid-side", tmp_path, told.append)
    assert len(told) == 1


def test_kept_stems_belong_to_their_song_and_teacher(tmp_path: Path) -> None:
    """A song that is added before the others, and another teacher, in the folder of a run."""
    added = {"mixture": np.ascontiguousarray(MIXTURE[::-1, ::-1])}
    told: list[str] = []
    taught([song], "mid-side", tmp_path, told.append)
    made = taught([lambda: added, song], "mid-side", tmp_path, told.append)
    assert told[1:] == ["mid-side separates song 1 of 2"]
    for stems, mixture in zip((song() for song in made), (added["mixture"], MIXTURE), strict=True):
        total = np.sum([stem.astype(np.float32) for stem in stems.values()], axis=0) / 32768.0
        np.testing.assert_allclose(total, mixture, atol=2 / 32768)
    taught([song], "silence:2stems", tmp_path, told.append)
    assert told[2:] == ["silence:2stems separates song 1 of 1"]


def test_a_teacher_with_other_stems_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"hpss.* gives .*; it must give vocals, drums, bass"):
        taught([song], "hpss:drums", tmp_path, lambda _: None)


def test_what_a_recipe_needs_is_asked_for(tmp_path: Path) -> None:
    train = entry().train
    given = {"validation": [], "initial": None, "tell": lambda _: None}
    with pytest.raises(ValueError, match="needs songs without stems"):
        train("tiny", [song], tmp_path, options={"recipe": "selftrain"}, **given)
    with pytest.raises(ValueError, match="with --songs take recipe=pretrain or recipe=selftrain"):
        train("tiny", [song], tmp_path, options={}, unlabelled=[song], **given)
    with pytest.raises(ValueError, match="at least one song"):
        train("tiny", [], tmp_path, options={"recipe": "pretrain"}, **given)


@pytest.mark.slow
def test_a_student_says_who_taught_it(tmp_path: Path) -> None:
    names = ("vocals", "drums", "bass", "other")
    stems = {name: np.roll(MIXTURE, 1000 * i, axis=1) for i, name in enumerate(names)}
    options = {"recipe": "selftrain", "teacher": "mid-side", "steps": 1, "batch_size": 1,
               "frames": 16, "logs": False, "warmup": 1}  # fmt: skip
    folder = entry().train(
        "tiny", [lambda: stems], tmp_path, validation=[], initial=None, options=options,
        tell=lambda _: None, unlabelled=[song],
    )  # fmt: skip
    _, notes = read_weights(folder / WEIGHTS_FILE)
    assert (notes["teacher"], notes["teacher_songs"]) == ("mid-side", "1")
