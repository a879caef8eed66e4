"""Adapters without an adapter.py: a command, a folder of stems, a function."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

import benchbench
from benchbench.api.doctor import doctor
from benchbench.errors import ManifestError, UsageError
from benchbench.plugins.catalog import Catalog
from benchbench.separation.separator import Limits

RATE = 44100

PROGRAM = """
import sys, pathlib, time
import soundfile
audio, rate = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
out = pathlib.Path(sys.argv[2]) / "some" / "where"
out.mkdir(parents=True)
gain = float(sys.argv[3])
soundfile.write(out / "vocals.wav", gain * audio, rate, subtype="FLOAT")
soundfile.write(out / "mixture_(Instrumental)_x.flac", audio - gain * audio, rate)
print("done", flush=True)
"""


def write(place: Path, name: str, head: str, tail: str = "") -> Path:
    folder = place / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter.toml").write_text(
        f'name = "{name}"\nsummary = "a test"\ndefault_variant = "2stems"\n{head}\n'
        '[licence]\ncode = "MIT"\n'
        f'[variants.2stems]\nstems = ["vocals", "accompaniment"]\n{tail}'
    )
    return place


def command(place: Path, program: str, words: str = '"{input}", "{output}", "{gain}"') -> Path:
    python = sys.executable.replace("\\", "/")
    head = f'kind = "command"\ncommand = ["{python}", "program.py", {words}]'
    tail = '[files]\naccompaniment = "**/*Instrumental*"\n[options]\ngain = 0.25\n'
    write(place, "outside", head, tail)
    (place / "outside" / "program.py").write_text(program)
    return place


def run(models: list[str], root: Path, out: Path, place: Path, **options: object):
    return benchbench.run(
        models, "folder", root=root, out=out, metrics=["usdr"], adapter_paths=[place], **options
    )


def rows(result) -> dict[str, dict[str, object]]:
    return {row["track"]: row for row in result.results.separations().to_pylist()}


def test_a_command_is_a_model_with_options(small_songs: Path, tmp_path: Path) -> None:
    place = command(tmp_path / "own", PROGRAM)
    result = run(["outside"], small_songs, tmp_path / "out", place, keep_stems="yes")
    assert (result.tally.ok, result.tally.failed) == (2, 0)
    assert "outside:2stems" in result.report.read_text(encoding="utf-8")
    row = rows(result)["first"]
    kept = result.results.stem_audio(row["separation_id"])
    vocals = soundfile.read(kept / "vocals.flac")[0]
    mixture = sum(soundfile.read(p)[0] for p in (small_songs / "first").glob("*.wav"))
    np.testing.assert_allclose(vocals, 0.25 * mixture, atol=1e-4)
    assert row["wall_s"] > 0
    again = run(["outside"], small_songs, tmp_path / "out", place, options={"gain": 0.5})
    assert again.tally.ok == 2  # another option is other work


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise SystemExit(3)", "ended with 3"),
        ("pass", "0 files for the stem vocals .*wrote nothing"),
        (PROGRAM.replace("rate, sub", "rate // 2, sub"), "sample_rate = 22050"),
        (PROGRAM.replace("gain * audio, rate, s", "gain * audio[:, :1], rate, s"), "shape"),
    ],
)
def test_what_a_command_does_wrong_is_said(
    program: str, words: str, small_songs: Path, tmp_path: Path
) -> None:
    place = command(tmp_path / "own", program)
    result = run(["outside", "mixture"], small_songs, tmp_path / "out", place, report=False)
    assert (result.tally.ok, result.tally.failed) == (2, 2)
    failed = [r for r in result.results.separations().to_pylist() if r["status"] != "ok"]
    for row in failed:
        import re

        assert re.search(words, row["error"], re.DOTALL), row["error"]


def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    small_songs: Path, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    place = command(
        tmp_path / "own",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    limits = Limits(base_s=3.0, seconds_per_second=0.0)
    result = run(
        ["outside"], small_songs, tmp_path / "out", place, limits=limits, limit=1, report=False
    )
    assert rows(result)["first"]["status"] == "timeout"
    deadline = time.monotonic() + 5
    while psutil.pid_exists(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(pid.read_text()))


@pytest.mark.skipif(os.name == "nt", reason="process groups")
def test_a_command_ends_with_its_worker(small_songs: Path, tmp_path: Path) -> None:
    """The worker's stdin ends while the program runs, as it does when the driver is killed."""
    from benchbench.io.audio.raw_audio import write_raw
    from benchbench.separation.separator import ModelSetup, WorkerSeparator

    pid = tmp_path / "pid"
    place = command(
        tmp_path / "own",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    setup = ModelSetup(Catalog((place,)).model("outside"), Path(sys.executable))
    mixture = write_raw(tmp_path / "m.f32", [np.zeros((2, 100), np.float32)])
    worker = WorkerSeparator(setup, Limits(base_s=60), tmp_path / "log.txt")
    import threading

    (tmp_path / "scratch").mkdir()
    thread = threading.Thread(
        target=worker.separate, args=(mixture, RATE, tmp_path / "scratch"), daemon=True
    )
    thread.start()
    deadline = time.monotonic() + 20
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int(pid.read_text())
    assert psutil.pid_exists(child)
    process = worker.process._process
    assert process is not None
    process.stdin.close()
    while psutil.pid_exists(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(child)
    thread.join(10)


def test_stems_computed_elsewhere_are_scored_without_a_cost(
    small_songs: Path, tmp_path: Path
) -> None:
    place = write(tmp_path / "own", "theirs", 'kind = "folder"\nfolder = "../../their stems"')
    for track in ("first", "second"):
        stems = {p.stem: soundfile.read(p)[0] for p in (small_songs / track).glob("*.wav")}
        folder = tmp_path / "their stems" / track
        folder.mkdir(parents=True)
        rest = sum(audio for name, audio in stems.items() if name != "vocals")
        soundfile.write(folder / "vocals.wav", stems["vocals"], RATE, subtype="FLOAT")
        soundfile.write(folder / "accompaniment.flac", 0.5 * rest, RATE, subtype="PCM_24")
    checks = list(doctor("theirs", adapter_paths=[place]))
    assert all(check.ok for check in checks)
    result = run(["theirs"], small_songs, tmp_path / "out", place)
    assert result.tally.ok == 2
    found = {r["target"]: r["value"] for r in result.results.scores().to_pylist()}
    assert found["vocals"] > 60
    assert found["accompaniment"] == pytest.approx(20 * np.log10(2), abs=0.01)
    row = rows(result)["first"]
    assert (row["wall_s"], row["peak_rss_bytes"]) == (None, None)
    assert "theirs:2stems" in result.report.read_text(encoding="utf-8")

    soundfile.write(tmp_path / "their stems" / "second" / "vocals.wav", rest, RATE)
    assert run(["theirs"], small_songs, tmp_path / "out", place).tally.ok == 2  # they changed
    (tmp_path / "their stems" / "second" / "vocals.wav").unlink()
    missing = run(["theirs"], small_songs, tmp_path / "new", place, report=False)
    assert missing.tally.failed == 1
    assert "holds no vocals" in rows(missing)["second"]["error"]
    assert [c.ok for c in doctor("theirs", adapter_paths=[place])] == [True, True, False]
    with pytest.raises(UsageError, match="cannot separate"):
        benchbench.separate("theirs", [], tmp_path, adapter_paths=[place])


def test_a_function_is_a_model(small_songs: Path, tmp_path: Path) -> None:
    place = write(tmp_path / "own", "inline", 'callable = "half_of_it:separate"')
    (place / "inline" / "half_of_it.py").write_text(
        "def separate(mixture, sample_rate):\n"
        "    return {'vocals': mixture / 2, 'accompaniment': mixture / 2}\n"
    )
    result = run(["inline"], small_songs, tmp_path / "out", place, report=False)
    assert (result.tally.ok, result.tally.failed) == (2, 0)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ('kind = "command"', "needs command"),
        ('kind = "folder"', "needs folder"),
        ('kind = "command"\ncommand = ["x", "{input}"]', "no {output}"),
        ('kind = "command"\ncommand = ["x", "{inptu}", "{output}"]', "Did you mean {input}"),
        ('command = ["x", "{input}", "{output}"]', 'Write kind = "command"'),
        ('callable = "nothing"', "module:function"),
        ('kind = "comand"', "comand"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(head: str, words: str, tmp_path: Path) -> None:
    place = write(tmp_path, "odd", head)
    with pytest.raises(ManifestError) as error:
        Catalog((place,)).model("odd")
    assert words in str(error.value)
