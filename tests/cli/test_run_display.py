"""The display of a run: on a terminal of 80 characters, in a pipe, quiet and verbose."""

from __future__ import annotations

import io
import time

from rich.console import Console

from benchbench.cli.progress import RunDisplay, Verbosity
from benchbench.running.events import (
    Downloaded,
    Finished,
    Note,
    Planned,
    ScoresReady,
    Separated,
    Stage,
    Started,
)

MODELS = ("spleeter:2stems", "a-model-with-a-long-name:and-a-variant")
TRACKS = ("first", "a track with a name so long that it cannot fit into a line of the terminal")


def shown(verbosity: Verbosity = "normal", *, terminal: bool = False, fails: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, no_color=True, highlight=False)
    ticks = iter(range(0, 10000, 3))
    with RunDisplay(verbosity, console, clock=lambda: float(next(ticks))) as display:
        display(Stage("Preparing the data set demo", 1, 9))
        display(Note("a notice"))
        display(Note("a notice"))
        display(Planned(4, 0, MODELS, 2, dict.fromkeys(MODELS, 2)))
        for track in TRACKS:
            for model in MODELS:
                display(Started(model, track))
                if terminal:
                    display._progress.refresh()
                if fails and model == MODELS[0]:
                    error = "ValueError: a bad stem (adapters/x/adapter.py, line 7)"
                    display(
                        Separated(model, track, "failed", error, None, 9.0, "results/runs/r/x.log")
                    )
                else:
                    display(Separated(model, track, "ok", None, 1.0, 9.0))
                    display(ScoresReady(model, track, {"vocals": 6.5, "other": None}, "usdr SDR"))
        display(Finished(2 if fails else 4, 2 if fails else 0, 12.0))
    return file.getvalue()


def test_a_pipe_gets_a_line_per_model_and_not_per_track() -> None:
    lines = shown().splitlines()
    assert lines[:2] == ["a notice", "2 models on 2 tracks: 4 separations to do"]
    assert lines[-3:] == [
        "3 of 4: spleeter:2stems finished",
        "4 of 4: a-model-with-a-long-name:and-a-variant finished",
        "4 separations done, 0 failed in 12 s",
    ]
    assert len(lines) <= 6


def test_verbose_names_every_track_and_the_metric() -> None:
    text = shown("verbose")
    assert "scored  spleeter:2stems on first: vocals 6.50  other no value (usdr SDR)" in text
    assert text.count("scored  ") == 4


def test_quiet_shows_failures_only() -> None:
    assert shown("quiet") == ""
    lines = shown("quiet", fails=True).splitlines()
    assert lines[0].startswith("failed  spleeter:2stems on first: ValueError")
    assert lines[1].strip() == "Log: results/runs/r/x.log"
    assert lines[2] == "spleeter:2stems: the same error on 1 more track."
    assert len(lines) == 3


def test_a_terminal_of_80_characters_has_one_line_per_model_and_wraps_none() -> None:
    text = shown(terminal=True)
    frames = text.replace("\x1b[2K", "").replace("\x1b[1A", "").split("\r")
    lines = [line for frame in frames for line in frame.splitlines()]
    assert max(len(line) for line in lines if "\x1b" not in line) <= 80
    assert any(line.startswith("  spleeter:2stems") and "1/2" in line for line in lines)
    assert "0:00:0" in text
    assert "…" in text


def test_a_download_shows_bytes_and_rate_on_a_terminal_and_few_lines_in_a_pipe() -> None:
    def shown_download(terminal: bool) -> str:
        file = io.StringIO()
        console = Console(
            file=file, force_terminal=terminal, width=80, no_color=True, highlight=False
        )
        ticks = iter(range(0, 10000, 3))
        with RunDisplay("normal", console, clock=lambda: float(next(ticks))) as display:
            display(Note("Fetching the weights"))
            for done in range(0, 73_000_001, 1_000_000):
                display(Downloaded(done, 73_000_000))
                if terminal:
                    time.sleep(0.001)
                    display._progress.refresh()
            display(Stage("Loading"))
            if terminal:
                display._progress.refresh()
        return file.getvalue()

    frames = shown_download(terminal=True).split("\r")
    downloads = [line for frame in frames for line in frame.splitlines() if "/73 MB" in line]
    assert "36/73 MB" in "".join(downloads)
    assert "MB/s" in downloads[-1]
    assert max(len(line) for line in downloads if "\x1b" not in line) <= 80
    assert "MB" not in frames[-2]
    lines = shown_download(terminal=False).splitlines()
    assert lines[0] == "Fetching the weights"
    assert 3 < len(lines) < 40
    assert all(line.endswith("/73 MB") for line in lines[1:])
