from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from benchbench.api.separate import separate
from benchbench.errors import SeparatorError
from benchbench.io.audio.audio_files import write_wav
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.plugins.catalog import Catalog, Model
from benchbench.running.events import Note
from benchbench.separation.separator import Limits, ModelSetup, SeparationResult, WorkerSeparator

RATE = 44100
Make = Callable[..., Path]
Prepare = Callable[[Model], ModelSetup]


@pytest.fixture
def mixture(tmp_path: Path) -> RawAudio:
    audio = np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32)
    return write_raw(tmp_path / "mixture.f32", [audio])


def separate_once(
    place: Path, name: str, setup_of: Prepare, mixture: RawAudio, limits: Limits | None = None
) -> SeparationResult:
    setup = setup_of(Catalog((place,)).model(name))
    with WorkerSeparator(setup, limits or Limits(), place / "log.txt") as worker:
        return worker.separate(mixture, RATE, place)


def test_stems_come_back_exactly_and_costs_are_measured(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    body = "print('hello'); os.write(1, b'noise'); return {s: mixture / 2 for s in self.stems}"
    outcome = separate_once(make_adapter("good", body), "good", setup_of, mixture)
    assert outcome.status == "ok"
    for raw in outcome.stems.values():
        np.testing.assert_array_equal(raw.open(), mixture.open() / 2)
    assert outcome.wall_s is not None
    assert outcome.wall_s > 0
    assert outcome.peak_rss is not None
    assert outcome.peak_rss > 5e6
    assert outcome.first_in_worker


def test_memory_is_the_workers_own_not_that_of_whoever_started_it(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    held = np.ones(50_000_000)  # 400 MB in this process
    outcome = separate_once(make_adapter("small"), "small", setup_of, mixture)
    assert held.sum() > 0
    assert outcome.peak_rss is not None
    assert outcome.peak_rss < 200e6


def test_blocks_of_any_length_are_joined(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    body = """
    for start in range(0, mixture.shape[1], 1000):
        yield {s: mixture[:, start:start + 1000] for s in self.stems}
    """
    outcome = separate_once(make_adapter("blocks", body), "blocks", setup_of, mixture)
    np.testing.assert_array_equal(outcome.stems["vocals"].open(), mixture.open())


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("raise ValueError('no idea')", "failed", "ValueError: no idea"),
        ("os._exit(3)", "crashed", "exit code 3"),
        ("os.kill(os.getpid(), 11)", "crashed", "signal 11"),
        ("raise MemoryError('too much')", "out_of_memory", "too much"),
        ("return {'vocals': mixture}", "invalid_output", "accompaniment"),
        ("return {s: mixture[0] for s in self.stems}", "invalid_output", "shape"),
        (
            "x = mixture.copy(); x[1, 70] = np.nan; return {s: x for s in self.stems}",
            "invalid_output",
            "sample 70",
        ),
        ("return 5", "invalid_output", "int"),
    ],
)
def test_a_fault_is_a_status_and_the_worker_goes_on(
    make_adapter: Make,
    setup_of: Prepare,
    mixture: RawAudio,
    body: str,
    status: str,
    words: str,
) -> None:
    place = make_adapter(
        "bad", f"if mixture.shape[1] > 9:\n    {body}\nreturn {{s: mixture for s in self.stems}}"
    )
    setup = setup_of(Catalog((place,)).model("bad"))
    short = write_raw(place / "short.f32", [np.ones((2, 5), np.float32)])
    with WorkerSeparator(setup, Limits(), place / "log.txt") as worker:
        outcome = worker.separate(mixture, RATE, place)
        assert outcome.status == status
        assert words in (outcome.error or "")
        assert worker.separate(short, RATE, place).status == "ok"


def test_what_an_adapter_printed_before_it_failed_is_kept(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    body = "print('the last words', flush=True); raise RuntimeError('x')"
    outcome = separate_once(make_adapter("talks", body), "talks", setup_of, mixture)
    assert "the last words" in (outcome.log_tail or "")
    assert "Traceback" in (outcome.log_tail or "")


def test_an_adapter_that_fails_is_told_in_one_line_with_its_place(
    make_adapter: Make, tmp_path: Path
) -> None:
    """And what it printed; the rest of the traceback is in the worker's log."""
    place = make_adapter("talks", "print('the last words'); raise RuntimeError('no such knob')")
    write_wav(tmp_path / "song.wav", np.full((2, RATE), 0.1, np.float32), RATE)
    with pytest.raises(SeparatorError) as caught:
        separate("talks", [tmp_path / "song.wav"], tmp_path / "out", adapter_paths=[place])
    said, printed, where = str(caught.value).splitlines()
    assert said.endswith("song.wav (failed): RuntimeError: no such knob")
    assert printed == "the last words"
    assert re.fullmatch(r"Raised in .*talks.*\.py, line \d+\.", where)


def test_remarks_of_an_adapter_are_told_after_a_separation(
    make_adapter: Make, tmp_path: Path
) -> None:
    """Lines of its output that begin with ``Note:``, of each song its own, and no other line."""
    body = "print('loud'); print('Note: song', mixture.shape[1]); return {s: mixture for s in self.stems}"
    place = make_adapter("remarks", body)
    for name, length in (("first", 4000), ("second", 5000)):
        write_wav(tmp_path / f"{name}.wav", np.zeros((2, length), np.float32), RATE)
    inputs = [tmp_path / "first.wav", tmp_path / "second.wav"]
    told: list[object] = []
    separate("remarks", inputs, tmp_path / "out", adapter_paths=[place], listener=told.append)
    notes = [event.text for event in told if isinstance(event, Note) and "song" in event.text]
    assert notes == ["remarks:plain: song 4000", "remarks:plain: song 5000"]


def test_a_hang_ends_at_the_limit(make_adapter: Make, setup_of: Prepare, mixture: RawAudio) -> None:
    start = time.monotonic()
    limits = Limits(base_s=1.0, seconds_per_second=0.0)
    outcome = separate_once(
        make_adapter("hangs", "time.sleep(60)"), "hangs", setup_of, mixture, limits
    )
    assert outcome.status == "timeout"
    assert time.monotonic() - start < 10


def test_memory_beyond_the_limit_ends_the_worker(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    body = "x = np.ones(60_000_000); time.sleep(30); return {s: mixture for s in self.stems}"
    limits = Limits(memory_bytes=300_000_000)
    outcome = separate_once(make_adapter("eats", body), "eats", setup_of, mixture, limits)
    assert outcome.status == "out_of_memory"
    assert "limit is 300 MB" in (outcome.error or "")


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells kinds of memory apart")


@LINUX
def test_pages_of_mapped_files_are_resident_and_not_held(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio, tmp_path: Path
) -> None:
    body = f"""
    with open({str(tmp_path / "large")!r}, "wb") as file:
        file.truncate(400_000_000)
    mapped = np.memmap(file.name, np.uint8, "r")
    total = int(mapped[::4096].sum())
    time.sleep(0.3)
    return {{s: mixture for s in self.stems}}
    """
    limits = Limits(memory_bytes=300_000_000)
    outcome = separate_once(make_adapter("maps", body), "maps", setup_of, mixture, limits)
    assert outcome.status == "ok", outcome.error
    assert outcome.peak_rss is not None
    assert outcome.peak_rss > 400e6
    assert outcome.peak_held is not None
    assert 5e6 < outcome.peak_held < 200e6


@LINUX
def test_memory_that_processes_share_is_held(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    body = """
    import mmap
    shared = mmap.mmap(-1, 400_000_000)
    np.frombuffer(shared, np.uint8)[::4096] = 1
    time.sleep(30)
    """
    limits = Limits(memory_bytes=300_000_000)
    outcome = separate_once(make_adapter("shares", body), "shares", setup_of, mixture, limits)
    assert outcome.status == "out_of_memory"


def test_the_mixture_cannot_be_written_to(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    outcome = separate_once(make_adapter("writes", "mixture[:] = 0"), "writes", setup_of, mixture)
    assert outcome.status == "failed"
    assert "read-only" in (outcome.error or "")


def test_an_adapter_that_does_not_import_says_why(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    place = make_adapter("broken")
    (place / "broken" / "adapter.py").write_text("import no_such_module_anywhere")
    outcome = separate_once(place, "broken", setup_of, mixture)
    assert outcome.status == "failed"
    assert "no_such_module_anywhere" in (outcome.error or "")


def test_closing_ends_the_process(make_adapter: Make, setup_of: Prepare, mixture: RawAudio) -> None:
    place = make_adapter("good")
    worker = WorkerSeparator(setup_of(Catalog((place,)).model("good")), Limits(), place / "log.txt")
    worker.separate(mixture, RATE, place)
    pid = worker.process.pid
    assert pid is not None
    worker.close()
    assert not psutil.pid_exists(pid)
