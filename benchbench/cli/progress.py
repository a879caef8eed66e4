"""Show a run as it happens: a live display on a terminal, plain lines in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchbench.running.events import (
    Event,
    Finished,
    Note,
    Planned,
    ScoresReady,
    Separated,
    Skipped,
    Started,
)

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["RunDisplay"]


class RunDisplay:
    """A listener of a run that writes to stderr, so that stdout stays for results.

    Use it as a context manager; call it with each event.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("[bold]{task.fields[now]}", justify="left"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._said: set[str] = set()

    def __enter__(self) -> RunDisplay:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Note(text):
                if text not in self._said:  # a notice is worth saying once
                    self._said.add(text)
                    self._say(f"[dim]{escape(text)}[/dim]")
            case Planned():
                self._plan(event)
            case Started(model, track):
                if self._task is not None:
                    self._progress.update(self._task, now=f"{escape(model)} on {escape(track)}")
            case Separated():
                self._separated(event)
            case ScoresReady(model, track, headline):
                values = "  ".join(
                    f"{escape(target)} {'none' if value is None else f'{value:.2f} dB'}"
                    for target, value in headline.items()
                )
                self._say(f"[green]scored[/green]  {escape(model)} on {escape(track)}: {values}")
                self._advance()
            case Skipped():
                self._advance()
            case Finished(ok, failed, seconds):
                colour = "red" if failed else "green"
                self._say(f"[{colour}]{ok} done, {failed} failed in {seconds:.0f} s[/{colour}]")

    def _plan(self, event: Planned) -> None:
        stored = f", {event.present} cells are stored already" if event.present else ""
        self._say(
            f"{len(event.models)} models on {event.tracks} tracks: "
            f"{event.jobs} separations to do{stored}"
        )
        if event.jobs:
            self._task = self._progress.add_task("run", total=event.jobs, now="starting")

    def _separated(self, event: Separated) -> None:
        if event.status == "ok":
            return
        self._say(
            f"[red]{escape(event.status)}[/red]  {escape(event.model)} on {escape(event.track)}: "
            f"{escape(event.error or '')}"
        )
        self._advance()

    def _advance(self) -> None:
        if self._task is not None:
            self._progress.advance(self._task)

    def _say(self, line: str) -> None:
        self.console.print(line)
