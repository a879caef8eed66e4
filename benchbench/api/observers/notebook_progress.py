"""A progress bar for runs that are started in a notebook."""

from __future__ import annotations

import html
import sys
import time
from typing import Any

from benchbench.running.events import (
    Event,
    Finished,
    Listener,
    Note,
    Planned,
    ScoresReady,
    Separated,
    Skipped,
    Started,
)

__all__ = ["NotebookProgress", "default_listener"]

REFRESH_S = 0.2


def default_listener() -> Listener:
    """A progress bar inside a notebook, nothing elsewhere."""
    return NotebookProgress() if _in_notebook() else _ignore


class NotebookProgress:
    """A listener that shows one bar, and one line per failure, in the output of a cell."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.doing = ""
        self.lines: list[str] = []
        self._shown_at = 0.0
        self._handle: Any = None

    def __call__(self, event: Event) -> None:
        """Process an event and update the display."""
        match event:
            case Planned():
                self.total = event.jobs
                self.doing = f"{event.jobs} separations to do, {event.present} scores stored"
            case Note():
                self.doing = event.text
            case Started():
                self.doing = f"{event.model} on {event.track}"
            case Separated() if event.status != "ok":
                self.done += 1
                self.lines.append(f"{event.model} on {event.track}: {event.status}: {event.error}")
            case ScoresReady() | Skipped():
                self.done += 1
            case Finished():
                self.doing = f"{event.ok} done, {event.failed} failed, {event.seconds:.0f} s"
        self._show(last=isinstance(event, Finished))

    def html(self) -> str:
        """The HTML that the cell shows."""
        bar = f'<progress value="{self.done}" max="{max(self.total, 1)}"></progress>'
        count = f" {self.done} of {self.total}" if self.total else ""
        lines = "".join(f"<br>{html.escape(line)}" for line in self.lines)
        return f"{bar}{count} {html.escape(self.doing)}{lines}"

    def _show(self, *, last: bool) -> None:
        now = time.monotonic()
        if self._handle is not None and not last and now - self._shown_at < REFRESH_S:
            return
        self._shown_at = now
        from IPython.display import HTML, display

        if self._handle is None:
            self._handle = display(HTML(self.html()), display_id=True)
        else:
            self._handle.update(HTML(self.html()))


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; IPython is not imported to find out."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _ignore(_: Event) -> None:
    """Show nothing."""
