"""The program as its users start it: a process, its exit code, its words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import soundfile

RATE = 44100
Make = Callable[..., Path]


def bench(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchbench", *map(str, words)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_version_and_short_help(tmp_path: Path) -> None:
    from benchbench import __version__

    shown = bench("--version", cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, f"bench {__version__}\n")
    assert bench("-h", cwd=tmp_path).stdout == bench("--help", cwd=tmp_path).stdout
    assert "Usage: bench run" in bench("run", "-h", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("bench run --models spleeter,zipformer:t", {"spleeter,zipformer:tiny"}),
        ("bench run --dataset musdb18-h", {"musdb18-hq"}),
        ("bench score --metrics usdr,bsseval-v", {"usdr,bsseval-v3", "usdr,bsseval-v4"}),
        ("bench show dem", {"demo", "demucs"}),
    ],
)
def test_the_shell_completes_names(tmp_path: Path, words: str, offered: set[str]) -> None:
    shown = bench(
        cwd=tmp_path,
        _BENCH_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )
    assert offered <= set(shown.stdout.split()), shown


def test_help_is_quick_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, time; start = time.perf_counter(); from benchbench.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'matplotlib', 'scipy', 'pyarrow', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "separate" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "--models", "spleter"], 2, "Did you mean 'spleeter'"),
        (["run", "--models", "irm:9stems"], 2, "of irm"),
        (["run", "--models", "irm", "--dataset", "dmo"], 2, "Did you mean 'demo'"),
        (["run", "--models", "irm", "--metrics", "usrd"], 2, "Did you mean 'usdr'"),
        (["run", "--models", "irm", "--resume", "sometimes"], 2, "only-missing"),
        (["separate", "nowhere.wav"], 2, "no file nowhere.wav"),
        (["separate", "text.wav"], 2, "cannot be read as audio"),
        (["separate", "empty.wav"], 2, "is empty"),
        (["separate", "nan.wav", "--model", "mixture"], 2, "channel 0, sample 5"),
        (["separate", "good.wav", "--model", "irm"], 2, "needs the true stems"),
        (["separate", "good.wav", "--model", "mixture", "--out", "text.wav"], 2, "Cannot write"),
        (["separate", "good.wav", "--weights", "nowhere"], 4, "is not a folder"),
        (["separate", "good.wav", "--weights", "."], 4, "lacks checkpoint"),
        (["score", "--references", "none", "--estimates", "."], 2, "none is not a folder"),
        (["show", "bsseval"], 2, "Did you mean 'bsseval-v"),
        (["list", "model"], 2, "Did you mean 'models'"),
        (["report", "none"], 2, "no results in none"),
        (["doctor", "nothing"], 2, "Unknown model, data set, metric or folder"),
        (["install", "musdb"], 2, "Did you mean 'musdb18'"),
        (["--config", "bad.toml", "run"], 2, "Did you mean 'models'"),
        (["run", "--nonsense"], 2, "No such option"),
    ],
)
def test_bad_input_is_one_clear_message(
    tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    (tmp_path / "text.wav").write_text("this is text " * 30)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "bad.toml").write_text('[run]\nmodel = ["irm"]\n')
    sound = np.full((2000, 2), 0.1)
    soundfile.write(tmp_path / "good.wav", sound, RATE)
    sound[5, 0] = np.nan
    soundfile.write(tmp_path / "nan.wav", sound, RATE, subtype="FLOAT")
    done = bench(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = bench("show", "nothing", "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr


def test_separate_keeps_rate_and_length(tmp_path: Path) -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal((30011, 1))
    soundfile.write(tmp_path / "song.flac", sound, 48000)
    done = bench("separate", "--model", "mixture", "song.flac", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for stem in ("vocals", "accompaniment"):
        header = soundfile.info(tmp_path / "out" / "song" / f"{stem}.wav")
        assert (header.samplerate, header.frames, header.subtype) == (48000, 30011, "FLOAT")
        assert header.channels == 1


def test_score_prints_json_rows_with_reasons(tmp_path: Path, small_songs: Path) -> None:
    estimates = tmp_path / "estimates"
    for track in ("first", "second"):
        (estimates / track).mkdir(parents=True)
        for stem in ("drums", "bass", "vocals"):
            audio, _ = soundfile.read(small_songs / track / f"{stem}.wav")
            shorter = audio[:-100] if stem == "bass" else audio
            soundfile.write(estimates / track / f"{stem}.flac", 0.9 * shorter, RATE)
    done = bench(
        "score", "--references", small_songs, "--estimates", estimates,
        "--metrics", "usdr,bsseval-v4,si", "--format", "json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {row["track"] for row in rows} == {"first", "second"}
    other = [row for row in rows if row["target"] == "other"]
    assert other
    assert all(row["value"] is None and row["reason"] == "missing_estimate" for row in other)
    usdr = {(r["track"], r["target"]): r for r in rows if r["protocol"] == "usdr"}
    assert usdr["first", "drums"]["value"] == pytest.approx(20.0, abs=0.01)
    assert usdr["first", "bass"]["reason"] == "estimate_padded"
    assert "samples" in done.stderr
    assert "no estimate for other" in done.stderr


def test_score_writes_every_format(tmp_path: Path, small_songs: Path) -> None:
    common = ["score", "--references", small_songs, "--estimates", small_songs, "--metrics", "usdr"]
    table = bench(*common, cwd=tmp_path)
    assert "usdr" in table.stdout
    lines = bench(*common, "--format", "csv", cwd=tmp_path).stdout.splitlines()
    assert lines[0].startswith("cell_id,")
    assert len(lines) == 11  # a header, SDR of 4 targets and SA-SDR on 2 tracks
    assert bench(*common, "--format", "parquet", cwd=tmp_path).returncode == 2
    bench(*common, "--format", "parquet", "--out", "scores.parquet", cwd=tmp_path)
    assert pq.read_table(tmp_path / "scores.parquet").num_rows == 10


def test_sampling_rates_that_differ_are_refused(tmp_path: Path, small_songs: Path) -> None:
    estimates = tmp_path / "estimates" / "first"
    estimates.mkdir(parents=True)
    audio, _ = soundfile.read(small_songs / "first" / "drums.wav")
    soundfile.write(estimates / "drums.wav", audio, 48000)
    done = bench(
        "score", "--references", small_songs, "--estimates", estimates.parent, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "44100 Hz, the estimates 48000 Hz" in done.stderr


def test_a_pipe_gets_no_control_characters_and_config_holds_flags(
    tmp_path: Path, small_songs: Path
) -> None:
    config = f'[run]\nmodels = ["mixture", "silence"]\ndataset = "folder"\nroot = "{small_songs}"\n'
    config += 'metrics = ["usdr"]\nno-report = true\n'
    (tmp_path / "bench.toml").write_text(config)
    done = bench("--config", "bench.toml", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "silence:2stems" in done.stdout
    assert (tmp_path / "results" / "scores").is_dir()


def test_failed_cells_end_with_4_after_all_others(
    tmp_path: Path, small_songs: Path, make_adapter: Make
) -> None:
    place = make_adapter("bad", "raise ValueError('on purpose')")
    done = bench(
        "run", "--models", "bad,silence", "--adapter-path", place, "--dataset", "folder",
        "--root", small_songs, "--metrics", "usdr", "--no-report", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 4
    assert "on purpose" in done.stderr
    assert done.stdout.count("silence:2stems") == 2


def test_an_adapter_in_the_working_directory_is_found_and_said(
    tmp_path: Path, small_songs: Path, make_adapter: Make
) -> None:
    make_adapter("mine").rename(tmp_path / "adapters")
    done = bench(
        "run", "--models", "mine", "--dataset", "folder", "--root", small_songs,
        "--metrics", "usdr", "--no-report", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "runs the code in" in done.stderr


def descendants(process: subprocess.Popen[Any]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.skipif(sys.platform == "win32", reason="signal 9 is POSIX's")
def test_killed_in_the_middle_it_goes_on_and_leaves_nobody_behind(
    tmp_path: Path, small_songs: Path, make_adapter: Make
) -> None:
    slow = "time.sleep(1.0); return {stem: mixture / 2 for stem in self.stems}"
    place = make_adapter("slow", slow)
    words = [
        "run", "--models", "silence,mixture,slow,irm", "--adapter-path", str(place),
        "--dataset", "folder", "--root", str(small_songs), "--metrics", "usdr,si", "--no-report",
    ]  # fmt: skip
    command = [sys.executable, "-m", "benchbench", *words, "--out", "killed"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "killed").rglob("scores/**/*.parquet"))) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    family = descendants(process)
    assert family
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "killed").rglob("scores/**/*.parquet")}
    again = bench(*words, "--out", "killed", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    whole = bench(*words, "--out", "whole", cwd=tmp_path)
    assert whole.returncode == 0
    assert stored(tmp_path / "killed") == stored(tmp_path / "whole")


def stored(root: Path) -> set[tuple[object, ...]]:
    table = pq.ParquetDataset(root / "scores", partitioning=None).read()
    keys = ("model", "track", "reference_set", "target", "protocol", "metric", "value", "reason")
    return {tuple(row[key] for key in keys) for row in table.to_pylist()}


def test_a_script_without_a_main_guard_runs_once(tmp_path: Path, small_songs: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import pathlib, benchbench\n"
        "print('once')\n"
        f"result = benchbench.run(['silence'], 'folder', root=pathlib.Path({str(small_songs)!r}),"
        " out='results', metrics=['usdr'], report=False)\n"
        "print(result.tally.ok, result.tally.failed)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["once", "2", "0"]


@pytest.mark.skipif(sys.platform == "win32", reason="the signal is POSIX's")
def test_interrupted_it_says_how_to_go_on_and_leaves_nobody_behind(
    tmp_path: Path, small_songs: Path, make_adapter: Make
) -> None:
    place = make_adapter("slow", "time.sleep(20); return {s: mixture for s in self.stems}")
    command = [
        sys.executable, "-m", "benchbench", "run", "--models", "slow", "--adapter-path", str(place),
        "--dataset", "folder", "--root", str(small_songs), "--metrics", "usdr", "--no-report",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("slow-plain.log")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    family = descendants(process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Run the same command again to resume" in said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
