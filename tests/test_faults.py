"""Killed processes and failing disks: stored results are not lost, doubled or wrong."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import benchbench
from benchbench.results.store import Results
from benchmarks.kills import kills, table
from benchmarks.memory import MODELS, every_protocol, figures, separate, songs

Make = Callable[..., Path]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has it")


def run(root: Path, out: Path, models: list[str], **options: object) -> object:
    options = {"metrics": ["usdr"], "report": False, "dataset": "folder", **options}
    return benchbench.run(models, root=root, out=out, **options)  # type: ignore[arg-type]


def limited(kilobytes: int, *words: object) -> subprocess.CompletedProcess[str]:
    """The program where no file may grow beyond a size: a write then fails in its middle."""
    program = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes * 1000}, {kilobytes * 1000}))
sys.argv = ["bench", *{list(map(str, words))!r}]
from benchbench.__main__ import main
main()
"""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, timeout=120, cwd=tempfile.gettempdir(),
    )  # fmt: skip


@pytest.mark.faults
@POSIX
def test_fifty_killed_runs_end_with_the_undisturbed_table() -> None:
    assert len(kills(50, seed=0, tell=False)) == 50


@POSIX
def test_killed_runs_end_with_the_undisturbed_table_though_renames_are_slow(tmp_path: Path) -> None:
    slow = """
    import pathlib, time
    rename = pathlib.Path.replace

    def replace(self, target):
        time.sleep(0.3)
        return rename(self, target)

    pathlib.Path.replace = replace
    """
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(slow))
    environment = {"PYTHONPATH": f"{tmp_path}:{Path(benchbench.__file__).parents[1]}"}
    assert len(kills(3, seed=3, environment=environment, tell=False)) == 3


@POSIX
@pytest.mark.parametrize(
    ("kilobytes", "words"),
    [(1, "run.json: File too large"), (100, "scratch folder"), (1500, "scratch folder")],
    ids=["results", "references", "stems"],
)
def test_a_full_disk_is_one_clear_error_and_no_row(
    small_songs: Path, tmp_path: Path, make_adapter: Make, kilobytes: int, words: str
) -> None:
    longer = "return {s: np.tile(mixture, 3) for s in self.stems}"  # fits nowhere but here
    place = make_adapter("longer", longer)
    request = [
        "run", "--models", "longer,mixture", "--adapter-path", place, "--dataset", "folder",
        "--root", small_songs, "--out", tmp_path / "out", "--metrics", "usdr", "--no-report",
        "--keep-stems", "no",
    ]  # fmt: skip
    done = limited(kilobytes, *request)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "stored before is intact" in done.stderr
    assert "Traceback" not in done.stderr
    assert Results(tmp_path / "out").separations().num_rows == 0
    result = run(small_songs, tmp_path / "out", ["longer", "mixture"], adapter_paths=[place])
    assert result.tally.ok == 4


def test_a_clock_that_jumps_back_changes_nothing(
    small_songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        year_now = 2045

        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(cls.year_now, 1, 1, tzinfo=UTC)

    monkeypatch.setattr("benchbench.running.run_record.datetime", Clock)
    run(small_songs, tmp_path / "out", ["irm"], limit=1)
    Clock.year_now = 1999
    later = run(small_songs, tmp_path / "out", ["irm"])
    assert (later.tally.ok, later.present) == (1, 1)
    assert len(later.results.runs()) == 2
    run(small_songs, tmp_path / "calm", ["irm"])
    assert table(tmp_path / "out").equals(table(tmp_path / "calm"))
    assert all(0 < row["wall_s"] < 60 for row in later.results.separations().to_pylist())


def test_a_damaged_part_is_all_that_is_computed_again(small_songs: Path, tmp_path: Path) -> None:
    models = ["irm", "mixture", "silence"]
    run(small_songs, tmp_path / "out", models)
    expected = table(tmp_path / "out")
    bad = sorted((tmp_path / "out" / "scores").rglob("*.parquet"))[2]
    bad.write_bytes(bad.read_bytes()[:-100])
    checks = list(benchbench.doctor(str(tmp_path / "out")))
    assert [Path(check.name) for check in checks if not check.ok] == [bad]
    list(benchbench.doctor(str(tmp_path / "out"), repair=True))
    again = run(small_songs, tmp_path / "out", models)
    assert (again.tally.ok, again.present) == (1, 5)
    assert table(tmp_path / "out").equals(expected)


def test_a_run_goes_on_beside_and_after_a_compaction(small_songs: Path, tmp_path: Path) -> None:
    models = ["irm", "mixture", "silence"]
    run(small_songs, tmp_path / "out", models, limit=1)
    benchbench.compact(tmp_path / "out")
    again = run(small_songs, tmp_path / "out", models)
    assert (again.tally.ok, again.present) == (3, 3)
    run(small_songs, tmp_path / "calm", models)
    assert table(tmp_path / "out").equals(table(tmp_path / "calm"))


@pytest.mark.parametrize("model", ["irm", "ibm", "mixture", "silence", "spleeter:2stems"])
def test_three_minutes_take_bounded_memory(tmp_path: Path, model: str) -> None:
    audio = songs(tmp_path, 180)
    peak_mb = separate(model if ":" in model else f"{model}:2stems", audio, tmp_path)
    assert peak_mb < LIMITS_MB[model]


LIMITS_MB = {"irm": 900, "ibm": 900, "mixture": 400, "silence": 400, "spleeter:2stems": 1000}
"""What is held; a separator that held the audio as float64 would need more."""


@pytest.mark.faults
def test_two_hours_through_every_model_and_metric() -> None:
    found = list(figures([7200], every_protocol(), MODELS))
    assert not [figure.line() for figure in found if figure.passed is False]
    assert len(found) == 2 * len(every_protocol()) + len(MODELS)
