"""The main job on small songs: real workers, real scores, real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

import benchbench
from benchbench.errors import NothingToCompareError, OutputError, UnknownNameError, UsageError
from benchbench.running.events import Event, Separated
from benchbench.separation.separator import Limits

Make = Callable[..., Path]
RATE = 44100


def run(
    models: list[str], root: Path, out: Path, **options: object
) -> benchbench.api.run.RunResult:
    options = {"metrics": ["usdr"], "report": False, "dataset": "folder", **options}
    return benchbench.run(models, root=root, out=out, **options)  # type: ignore[arg-type]


def values(result: benchbench.api.run.RunResult) -> dict[tuple[str, ...], float | None]:
    keys = ("model", "track", "reference_set", "target", "protocol", "metric")
    rows = result.results.scores().to_pylist()
    return {tuple(row[key] for key in keys): row["value"] for row in rows}


def test_mixture_and_silence_score_what_they_must(small_songs: Path, tmp_path: Path) -> None:
    result = run(["mixture:4stems", "silence:2stems"], small_songs, tmp_path / "out")
    found = values(result)
    stems = {path.stem: soundfile.read(path)[0] for path in (small_songs / "first").glob("*.wav")}
    mixture = sum(stems.values())
    for target, reference in stems.items():
        error = np.sum((mixture - reference) ** 2)
        expected = 10 * np.log10((np.sum(reference**2) + 1e-7) / (error + 1e-7))
        key = ("mixture:4stems", "first", "vocals+drums+bass+other", target, "usdr", "SDR")
        assert found[key] == pytest.approx(expected, abs=1e-4)
    for target in ("vocals", "accompaniment"):
        key = ("silence:2stems", "first", "vocals+accompaniment", target, "usdr", "SDR")
        assert found[key] == pytest.approx(0.0, abs=1e-9)
    four_on_two = ("mixture:4stems", "first", "vocals+accompaniment", "vocals", "usdr", "SDR")
    assert four_on_two in found
    assert result.tally.ok == 4
    assert result.tally.failed == 0


def test_what_is_stored_is_not_computed_again(small_songs: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    first = run(["irm"], small_songs, tmp_path / "out")
    again = run(["irm"], small_songs, tmp_path / "out", listener=events.append)
    assert (first.tally.ok, again.tally.ok, again.present) == (2, 0, 2)
    assert not [event for event in events if isinstance(event, Separated)]
    more = run(["irm"], small_songs, tmp_path / "out", metrics=["usdr", "si"])
    assert (more.tally.ok, more.present) == (2, 2)
    anew = run(["irm"], small_songs, tmp_path / "out", resume="always")
    assert anew.tally.ok == 2
    assert values(anew).keys() == values(more).keys()


def test_resume_always_computes_nothing_and_names_what_is_missing(
    small_songs: Path, tmp_path: Path
) -> None:
    run(["irm"], small_songs, tmp_path / "out", limit=1)
    with pytest.raises(NothingToCompareError, match="irm:2stems on second"):
        run(["irm"], small_songs, tmp_path / "out", resume="only-cache")
    assert run(["irm"], small_songs, tmp_path / "out", limit=1, resume="only-cache").present == 1


def test_changed_code_changed_audio_and_options_are_new_work(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    place = make_adapter("own")
    assert run(["own"], small_songs, tmp_path / "out", adapter_paths=[place]).tally.ok == 2
    make_adapter("own", "return {stem: mixture / 3 for stem in self.stems}")
    assert run(["own"], small_songs, tmp_path / "out", adapter_paths=[place]).tally.ok == 2
    audio, _ = soundfile.read(small_songs / "second" / "drums.wav")
    soundfile.write(small_songs / "second" / "drums.wav", audio / 2, RATE, subtype="FLOAT")
    assert run(["own"], small_songs, tmp_path / "out", adapter_paths=[place]).tally.ok == 1
    assert run(["irm"], small_songs, tmp_path / "out", options={"alpha": 1.0}).tally.ok == 2
    assert run(["irm"], small_songs, tmp_path / "out").tally.ok == 2


def test_a_fault_costs_its_cells_only_and_is_tried_again_when_asked(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    body = f"""
    if os.path.exists({str(flag)!r}) and mixture.shape[1] > {round(1.8 * RATE)}:
        os._exit(1)
    return {{stem: mixture for stem in self.stems}}
    """
    place = make_adapter("fragile", body)
    models = ["fragile", "mixture"]
    first = run(models, small_songs, tmp_path / "out", adapter_paths=[place])
    assert (first.tally.ok, first.tally.failed) == (3, 1)
    statuses = {
        (row["model"], row["track"]): row["status"]
        for row in first.results.separations().to_pylist()
    }
    assert statuses["fragile:plain", "first"] == "crashed"
    assert statuses["fragile:plain", "second"] == "ok"
    flag.unlink()
    assert run(models, small_songs, tmp_path / "out", adapter_paths=[place]).tally.ok == 0
    retried = run(models, small_songs, tmp_path / "out", adapter_paths=[place], retry_failed=True)
    assert (retried.tally.ok, retried.tally.failed) == (1, 0)


def test_a_track_that_cannot_be_read_fails_alone(small_songs: Path, tmp_path: Path) -> None:
    (small_songs / "first" / "bass.wav").write_bytes(b"RIFF but not really")
    result = run(["mixture", "silence"], small_songs, tmp_path / "out")
    assert (result.tally.ok, result.tally.failed) == (2, 2)
    errors = [row["error"] for row in result.results.separations().to_pylist() if row["error"]]
    assert all("bass.wav" in error for error in errors)
    assert len(errors) == 2


def test_timeouts_become_rows(small_songs: Path, tmp_path: Path, make_adapter: Make) -> None:
    place = make_adapter("slow", "time.sleep(30)")
    limits = Limits(base_s=0.5, seconds_per_second=0.0)
    result = run(
        ["slow"], small_songs, tmp_path / "out", adapter_paths=[place], limits=limits, limit=1
    )
    assert [row["status"] for row in result.results.separations().to_pylist()] == ["timeout"]


def test_more_jobs_give_the_same_numbers(small_songs: Path, tmp_path: Path) -> None:
    models = ["irm", "ibm", "mixture:4stems"]
    one = run(models, small_songs, tmp_path / "one", metrics=["standard"])
    three = run(models, small_songs, tmp_path / "three", metrics=["standard"], jobs=3)
    assert values(one).keys() == values(three).keys()
    for key, value in values(one).items():
        other = values(three)[key]
        assert (value is None) == (other is None)
        if value is not None:
            assert value == pytest.approx(other, abs=1e-9)


def test_run_json_says_where_numbers_come_from(small_songs: Path, tmp_path: Path) -> None:
    result = run(
        ["irm"], small_songs, tmp_path / "out", command=["bench", "run", "--models", "irm"]
    )
    (facts,) = result.results.runs()
    assert facts["command"][:2] == ["bench", "run"]
    assert facts["finished"] >= facts["started"]
    assert facts["machine"]["cores"] >= 1
    assert facts["packages"]["numpy"]
    assert facts["models"][0]["oracle"] is True
    assert facts["dataset"]["tracks"] == 2
    assert facts["counts"] == {"ok": 2, "failed": 0}


def test_audio_is_kept_for_listening_when_it_may_be(small_songs: Path, tmp_path: Path) -> None:
    kept = run(["irm"], small_songs, tmp_path / "kept")
    names = {path.name for path in (tmp_path / "kept" / "audio").rglob("*.flac")}
    assert names == {"mixture.flac", "vocals.flac", "accompaniment.flac"}
    assert kept.results.stem_audio("x").parent.is_dir()
    run(["irm"], small_songs, tmp_path / "not", keep_stems="no")
    assert not (tmp_path / "not" / "audio").exists()


def test_bad_requests_are_refused_before_anything_happens(
    small_songs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match="Did you mean 'usdr'"):
        run(["irm"], small_songs, out, metrics=["usrd"])
    with pytest.raises(UnknownNameError, match="Did you mean 'alpha'"):
        run(["irm"], small_songs, out, options={"alpa": 1})
    with pytest.raises(UsageError, match="No model"):
        run([], small_songs, out)
    with pytest.raises(UsageError, match="--weights"):
        run(["irm"], small_songs, out, weights=tmp_path)
    assert not out.exists()


def test_results_that_cannot_be_written_are_one_clear_error(
    small_songs: Path, tmp_path: Path
) -> None:
    blocker = tmp_path / "blocker"
    blocker.touch()
    with pytest.raises(OutputError, match="Cannot write"):
        run(["silence"], small_songs, blocker / "results")


def test_a_lane_that_is_killed_is_started_anew(small_songs: Path, tmp_path: Path) -> None:
    killed = []

    def kill_once(event: Event) -> None:
        if isinstance(event, Separated) and not killed:
            for child in psutil.Process().children():
                if "spawn_main" in " ".join(child.cmdline()):
                    killed.append(child.pid)
                    child.kill()
                    child.wait()

    models = ["mixture", "silence"]
    first = run(models, small_songs, tmp_path / "out", listener=kill_once)
    assert len(killed) == 1
    # The separation that was handed over at that very moment may be lost; all others are not.
    assert first.tally.ok >= 3
    assert first.tally.ok + first.tally.failed == 4
    again = run(models, small_songs, tmp_path / "out")
    assert again.tally.ok == first.tally.failed
    assert len(values(again)) == 12  # 2 models x 2 tracks x SDR of 2 targets and SA-SDR


def test_resume_words_of_earlier_versions_name_the_new_one(small_songs, tmp_path):
    with pytest.raises(UsageError, match="Use --resume always"):
        run(["irm"], small_songs, tmp_path / "out", resume="never")
    with pytest.raises(UnknownNameError, match="only-cache"):
        run(["irm"], small_songs, tmp_path / "out", resume="only-cach")
