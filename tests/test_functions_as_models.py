"""A Python function is a model of a run, beside adapters."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.api.results import RunResult
from benchbench.errors import AudioError, BenchbenchError, UsageError

RATE = 44100


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    for name in ("one", "two"):
        folder = tmp_path / "songs" / name
        folder.mkdir(parents=True)
        for stem in ("vocals", "accompaniment"):
            soundfile.write(folder / f"{stem}.wav", rng.normal(0, 0.1, (RATE, 2)), RATE, "FLOAT")
    return tmp_path / "songs"


def run(songs: Path, function: object, **more: object) -> RunResult:
    return benchbench.run(
        more.pop("models", "mixture"),
        "folder",
        root=songs,
        out=songs.parent / "out",
        metrics="usdr",
        functions={"mine": function},
        **more,
    )


def test_its_scores_are_those_of_its_stems_and_stand_beside_other_models(songs: Path) -> None:
    def almost(mixture: np.ndarray, rate: int) -> Mapping[str, np.ndarray]:
        """The references times 0.9, found by the mixture."""
        assert (mixture.dtype, mixture.shape, rate) == (np.float32, (2, RATE), RATE)
        for track in songs.iterdir():
            stems = {p.stem: soundfile.read(p)[0].T for p in track.glob("*.wav")}
            if np.allclose(sum(stems.values()), mixture, atol=1e-6):
                return {stem: 0.9 * audio for stem, audio in stems.items()}
        raise AssertionError("unknown mixture")

    result = run(songs, almost)
    assert (result.tally.ok, result.tally.failed) == (4, 0)
    board = result.leaderboard("usdr/SDR")
    board.index = board.index.get_level_values("model")
    assert list(board.index) == ["mine:2stems", "mixture:2stems"]
    assert board.loc["mine:2stems", "vocals"] == pytest.approx(20.0, abs=1e-3)
    assert "mine:2stems" in result.report.read_text(encoding="utf-8")
    again = run(songs, almost, models=(), report=False)
    assert (again.tally.ok, again.present) == (0, 2)  # equal stems are not scored twice


def test_other_stems_are_another_model_state(songs: Path) -> None:
    def half(mixture: np.ndarray, rate: int) -> Mapping[str, np.ndarray]:
        return {"vocals": mixture / 2, "accompaniment": mixture / 2}

    def third(mixture: np.ndarray, rate: int) -> Mapping[str, np.ndarray]:
        return {"vocals": mixture / 3, "accompaniment": 2 * mixture / 3}

    assert run(songs, half, report=False).tally.ok == 4
    changed = run(songs, third, report=False)
    assert (changed.tally.ok, changed.present) == (2, 2)


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda mixture, rate: 1 / 0, UsageError, "mine failed on one: ZeroDivisionError"),
        (lambda mixture, rate: mixture, AudioError, "returned ndarray"),
        (lambda mixture, rate: {}, AudioError, "returned no stem"),
        (lambda mixture, rate: {"vocals": mixture[:, :-1]}, AudioError, "vocals of one has the"),
        (lambda mixture, rate: {"vocals": mixture * np.nan}, AudioError, "vocals of one"),
    ],
)
def test_a_bad_function_ends_the_run_with_the_track(
    songs: Path, function: object, error: type[BenchbenchError], words: str
) -> None:
    with pytest.raises(error, match=words):
        run(songs, function)
    assert not list((songs.parent / "out").glob("**/*.parquet"))


def test_names_and_calls_that_cannot_work_are_refused(songs: Path) -> None:
    def half(mixture: np.ndarray, rate: int) -> Mapping[str, np.ndarray]:
        return {"vocals": mixture / 2, "accompaniment": mixture / 2}

    for name, words in (("../x", "cannot name"), ("spleeter", "is an adapter already")):
        with pytest.raises(UsageError, match=words):
            benchbench.run((), "folder", root=songs, functions={name: half})
    with pytest.raises(UsageError, match="has no name"):
        benchbench.run(half, "folder", root=songs)
    with pytest.raises(UsageError, match="in this process"):
        benchbench.run((), "folder", root=songs, functions={"mine": half}, executor="dask")
