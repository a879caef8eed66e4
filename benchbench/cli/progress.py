"""Show the progress of a run: one updating line per model on a terminal, few lines in a pipe."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.progress import TaskID

from benchbench.cli.bars import megabytes, progress_bars
from benchbench.io.terminal import printable
from benchbench.running.events import (
    Downloaded,
    Event,
    Finished,
    Note,
    Planned,
    ScoresReady,
    Separated,
    Skipped,
    Stage,
    Started,
)
from benchbench.stats.wording import count

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["RunDisplay", "Verbosity"]

Verbosity = Literal["quiet", "normal", "verbose"]

LINES: Final = 12
"""With more models than this, all share one line."""

HEARTBEAT_S: Final = 10.0
"""Seconds between two progress lines in a pipe."""


class RunDisplay:
    """A listener of a run that writes to stderr, so that stdout stays free for results.

    Use it as a context manager; call it with each event.

    Parameters
    ----------
    verbosity
        ``quiet``: failures only; ``normal``: notes and progress; ``verbose``: every separation too.
    console
        Where to write; by default stderr.
    clock
        Returns the time in seconds, for the lines in a pipe.
    """

    def __init__(
        self,
        verbosity: Verbosity = "normal",
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.verbosity = verbosity
        self._clock = clock
        self._live = self.console.is_terminal and verbosity != "quiet"
        self._progress = progress_bars(self.console, self._live)
        self._main: TaskID | None = None
        self._download: TaskID | None = None
        self._lines: dict[str, TaskID] = {}
        self._said: set[str] = set()
        self._left: Counter[str] = Counter()
        self._total = self._done = 0
        self._last_line = clock()
        self._failures: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> RunDisplay:
        self._main = self._progress.add_task("starting", total=None)
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
        self._tell_repeated_failures()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if not isinstance(event, Downloaded):
            self._end_download()
        match event:
            case Note(text):
                self._note(text)
            case Stage(text, done, total):
                self._describe(text, done, total)
            case Downloaded(done, total):
                self._show_download(done, total)
            case Planned():
                self._plan(event)
            case Started(model, track):
                self._describe(f"{model} on {track}")
            case Separated():
                if event.status != "ok":
                    self._failed(event)
            case ScoresReady():
                if self.verbosity == "verbose":
                    self._say(_scored(event))
                self._advance(event.model)
            case Skipped(model):
                self._advance(model)
            case Finished(ok, failed, seconds):
                end = f"{count(ok, 'separation')} done, {failed} failed in {seconds:.0f} s"
                self._note(end, colour="red" if failed else "green")

    def _note(self, text: str, colour: str = "dim") -> None:
        """Print a sentence on its own line, once."""
        if text not in self._said and self.verbosity != "quiet":
            self._said.add(text)
            self._say(f"[{colour}]{escape(printable(text))}[/{colour}]")

    def _describe(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Show the current step: only on the first line of a terminal."""
        if self._main is None:
            return
        self._progress.update(self._main, description=escape(printable(text)))
        if not self._total:
            self._progress.update(self._main, total=total, completed=done or 0)

    def _show_download(self, done: int, total: int | None) -> None:
        """Show the bytes of a download: a bar on a terminal, a line every few seconds in a pipe."""
        if self._download is None:
            self._download = self._progress.add_task("  download", bytes=True)
        self._progress.update(self._download, completed=done, total=total)
        if self._heartbeat():
            self._say(f"[dim]{megabytes(done, total)}[/dim]")

    def _end_download(self) -> None:
        if self._download is not None:
            self._progress.remove_task(self._download)
            self._download = None

    def _heartbeat(self) -> bool:
        """Whether a pipe is due for a progress line."""
        if self._live or self.verbosity != "normal":
            return False
        due = self._clock() - self._last_line >= HEARTBEAT_S
        if due:
            self._last_line = self._clock()
        return due

    def _plan(self, event: Planned) -> None:
        stored = f"; {count(event.present, 'result')} stored already" if event.present else ""
        self._note(
            f"{count(len(event.models), 'model')} on {count(event.tracks, 'track')}: "
            f"{count(event.jobs, 'separation')} to do{stored}"
        )
        self._total, self._left = event.jobs, Counter(event.jobs_by_model)
        if self._main is not None and event.jobs:
            self._progress.update(self._main, total=event.jobs, completed=0)
        if 1 < len(self._left) <= LINES:
            self._lines = {
                model: self._progress.add_task(f"  {escape(model)}", total=jobs)
                for model, jobs in self._left.items()
                if jobs
            }

    def _failed(self, event: Separated) -> None:
        """Print a failure in full; repetitions on other tracks are counted."""
        key = event.model, event.error or ""
        self._failures[key] += 1
        if self._failures[key] == 1 or self.verbosity == "verbose":
            log = f"\n  Log: {escape(_near(event.log))}" if event.log else ""
            self._say(
                f"[red]{escape(event.status)}[/red]  {escape(event.model)} on "
                f"{escape(event.track)}: {escape(event.error or '')}{log}"
            )
        self._advance(event.model)

    def _tell_repeated_failures(self) -> None:
        for (model, _), times in self._failures.items():
            if times > 1 and self.verbosity != "verbose":
                self._say(f"{escape(model)}: the same error on {count(times - 1, 'more track')}.")

    def _advance(self, model: str) -> None:
        self._done += 1
        self._left[model] -= 1
        for task in (self._main, self._lines.get(model)):
            if task is not None:
                self._progress.advance(task)
        if self._live or self.verbosity != "normal":
            return
        finished = self._left[model] == 0
        if self._heartbeat() or finished:
            self._last_line = self._clock()
            end = f"{model} finished" if finished else model
            self._say(f"[dim]{self._done} of {self._total}: {escape(end)}[/dim]")

    def _say(self, line: str) -> None:
        # A terminal wraps at words; in a pipe a message stays on its line.
        self.console.print(line, soft_wrap=not self.console.is_terminal)


def _near(path: str) -> str:
    """A path relative to the working directory, if it lies below it."""
    return path.removeprefix(f"{Path.cwd()}{os.sep}")


def _scored(event: ScoresReady) -> str:
    values = "  ".join(
        f"{escape(target)} {'no value' if value is None else f'{value:.2f}'}"
        for target, value in event.headline.items()
    )
    metric = f" ({escape(event.metric)})" if event.metric else ""
    return f"scored  {escape(event.model)} on {escape(event.track)}: {values}{metric}"
