"""A repeated command continues; folders that vanish during the work are named."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.errors import AudioError, OutputError
from benchbench.results.store import Results
from benchbench.running.events import Event, Note, ScoresReady, Started
from benchmarks.kills import table
from tests.conftest import RATE, tones
from tests.faults.conftest import family, files, remove_at_once, start, survivors, wait_for

Make = Callable[..., Path]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    """Three mixtures of half a second."""
    paths = []
    for number in range(3):
        audio = np.sum(list(tones(0.5, seed=number).values()), axis=0)
        path = tmp_path / "inputs" / f"song-{number}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, audio.T, RATE, subtype="FLOAT")
        paths.append(path)
    return paths


@POSIX
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_separate_resumes_after_a_signal(
    inputs: list[Path], tmp_path: Path, make_adapter: Make, number: int, code: int
) -> None:
    place = make_adapter(
        "slow", "time.sleep(1); return {s: mixture / 2 for s in self.stems}", stems=("vocals", "b")
    )
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    words = ["separate", *inputs, "--model", "slow", "--adapter-path", place, "--out", out]
    process = start(words, environment={"TMPDIR": str(scratch)})
    wait_for(lambda: (out / "song-0" / ".separation.json").exists())
    everybody = family(process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    assert "Everything that was stored is kept.\nRun the same command again to resume." in errors
    assert "Traceback" not in errors
    assert not survivors(everybody)
    assert not list(scratch.iterdir())
    before = files(out)
    assert not [name for name in before if name.endswith(".tmp")]

    notes: list[str] = []
    listener = lambda event: notes.append(event.text) if isinstance(event, Note) else None  # noqa: E731
    stems = benchbench.separate("slow", inputs, out, adapter_paths=[place], listener=listener)
    assert list(stems) == ["song-0", "song-1", "song-2"]
    finished = len([name for name in before if name.endswith(".separation.json")])
    assert notes[-1].startswith(f"{finished} of 3 inputs were separated before and are kept")
    assert {name: files(out)[name] for name in before if "song-0/" in name} == {
        name: time for name, time in before.items() if "song-0/" in name
    }
    whole = benchbench.separate("slow", inputs, tmp_path / "whole", adapter_paths=[place])
    for name, paths in whole.items():
        for stem, path in paths.items():
            expected, _ = soundfile.read(path)  # the header holds the time of writing
            np.testing.assert_array_equal(soundfile.read(stems[name][stem])[0], expected)


def test_separate_repeats_what_is_not_the_same_any_more(inputs: list[Path], tmp_path: Path) -> None:
    def separated(model: str = "mixture", **options: object) -> list[str]:
        started: list[str] = []

        def note(event: Event) -> None:
            if isinstance(event, Started):
                started.append(event.track)

        benchbench.separate(model, inputs, tmp_path / "out", listener=note, **options)  # type: ignore[arg-type]
        return started

    every = ["song-0", "song-1", "song-2"]
    assert separated() == every
    assert separated() == []
    assert separated(resume="always") == every
    assert separated("silence") == every  # another model, into the same folder
    assert separated() == every
    assert separated(device="cpu") == every
    assert separated(device="cpu") == []
    audio, _ = soundfile.read(inputs[1])
    soundfile.write(inputs[1], audio * 0.5, RATE, subtype="FLOAT")
    assert separated(device="cpu") == ["song-1"]
    (tmp_path / "out" / "song-2" / "vocals.wav").unlink()
    assert separated(device="cpu") == ["song-2"]
    soundfile.write(tmp_path / "out" / "song-0" / "vocals.wav", audio, RATE)
    assert separated(device="cpu") == ["song-0"]
    (tmp_path / "out" / "song-0" / ".separation.json").write_text("[" * 100_000)
    assert separated(device="cpu") == ["song-0"]
    record = tmp_path / "out" / "song-0" / ".separation.json"
    assert str(Path.home()) not in record.read_text()


def test_a_removed_input_is_an_error_although_its_stems_are_there(
    inputs: list[Path], tmp_path: Path
) -> None:
    benchbench.separate("mixture", inputs, tmp_path / "out")
    inputs[0].unlink()
    with pytest.raises(AudioError, match=r"song-0\.wav"):
        benchbench.separate("mixture", inputs, tmp_path / "out")


def run(
    root: Path,
    out: Path,
    listener: Callable[[Event], None] = lambda _: None,
    adapters: tuple[str, Path] | None = None,
) -> object:
    """`adapters` is an adapter's name and the folder that holds it; without it, `irm` runs."""
    name, places = (adapters[0], [adapters[1]]) if adapters else ("irm", [])
    return benchbench.run(
        [name, "mixture"], "folder", root=root, out=out, metrics=["usdr"], report=False,
        listener=listener, keep_stems="no", adapter_paths=places,
    )  # fmt: skip


def at_first(kind: type, act: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that acts once, at the first event of a kind."""
    done: list[object] = []

    def listener(event: Event) -> None:
        if isinstance(event, kind) and not done:
            done.append(event)
            act()

    return listener


@POSIX
def test_a_cleaned_scratch_folder_is_named_and_the_run_continues(
    small_songs: Path, tmp_path: Path, make_adapter: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)

    cleaned = tmp_path / "cleaned"
    body = f"""
        while not os.path.exists({str(cleaned)!r}):
            time.sleep(0.01)
        return {{stem: mixture / 2 for stem in self.stems}}"""
    waiting = ("waiting", make_adapter("waiting", body))

    def clean() -> None:
        for folder in scratch.glob("benchbench-*"):
            remove_at_once(folder, tmp_path)
        cleaned.touch()

    with pytest.raises(OutputError, match=r"The scratch folder .* was removed during the work"):
        run(small_songs, tmp_path / "out", at_first(Started, clean), waiting)
    assert set(Results(tmp_path / "out").separations().column("status").to_pylist()) <= {"ok"}
    run(small_songs, tmp_path / "out", adapters=waiting)
    run(small_songs, tmp_path / "calm", adapters=waiting)
    assert table(tmp_path / "out").equals(table(tmp_path / "calm"))
    assert not list(scratch.iterdir())


def test_a_cleaned_scratch_folder_of_separate_is_named(
    inputs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    clean = at_first(Started, lambda: remove_at_once(next(scratch.glob("*")), tmp_path))
    with pytest.raises(OutputError, match=r"The scratch folder .* was removed during the work"):
        benchbench.separate("mixture", inputs, tmp_path / "out", listener=clean)
    assert len(benchbench.separate("mixture", inputs, tmp_path / "out")) == 3


@pytest.mark.parametrize("what", ["moved", "removed", "a model", "one part"])
def test_results_that_vanish_during_a_run_are_named(
    small_songs: Path, tmp_path: Path, what: str
) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"

    def vanish() -> None:
        if what == "moved":
            out.rename(elsewhere)
        elif what == "removed":
            remove_at_once(out, tmp_path)
        elif what == "a model":
            remove_at_once(next((out / "scores").iterdir()), tmp_path)
        else:
            next((out / "scores").rglob("*.parquet")).unlink()

    with pytest.raises(OutputError) as caught:
        run(small_songs, out, at_first(ScoresReady, vanish))
    assert "separations that this run has stored are missing" in caught.value.message
    assert " on first" in caught.value.message or " on second" in caught.value.message
    if what in ("moved", "removed"):
        assert not list(out.rglob("run.json"))  # no new folder that looks like whole results
    if what == "moved":
        shutil.rmtree(out, ignore_errors=True)
        elsewhere.rename(out)
    run(small_songs, out)
    run(small_songs, tmp_path / "calm")
    assert table(out).equals(table(tmp_path / "calm"))
