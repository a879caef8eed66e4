"""The result of a check: one finding per question, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec

__all__ = ["STATUSES", "CheckResult", "Finding", "Status", "mended"]

Status = Literal["damaged", "failed", "warning", "passed"]

STATUSES: Final[tuple[Status, ...]] = ("damaged", "failed", "warning", "passed")
"""In order of urgency. ``damaged``: not a readable bundle; ``failed``: a rule is broken;
``warning``: a reader should know; ``passed``."""

Text = Annotated[str, msgspec.Meta(max_length=2000)]


class Finding(msgspec.Struct, frozen=True):
    """The answer to one question about a bundle.

    Parameters
    ----------
    check
        The question, such as ``oracle`` or ``recomputed``.
    status
        One of `STATUSES`.
    subject
        The model or track that it is about; "" for the whole bundle.
    message
        One or two sentences.
    """

    check: Text
    status: Status
    subject: Text
    message: Text


class CheckResult(msgspec.Struct, frozen=True):
    """All findings about one bundle, and what it says about itself.

    Parameters
    ----------
    bundle
        The name of its folder or file.
    submitter, dataset, models
        From its manifest; empty if that could not be read.
    findings
        In order of urgency.
    """

    bundle: Text
    submitter: Text
    dataset: Text
    models: Annotated[tuple[Text, ...], msgspec.Meta(max_length=1000)]
    findings: Annotated[tuple[Finding, ...], msgspec.Meta(max_length=100_000)]

    def count(self, status: Status) -> int:
        """The number of findings of one status."""
        return sum(finding.status == status for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 accepted, 1 a rule is broken, 5 damaged or hostile."""
        return 5 if self.count("damaged") else 1 if self.count("failed") else 0

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        if self.count("damaged"):
            return f"{self.bundle} is refused: it is damaged or not a bundle."
        if self.count("failed"):
            return f"{self.bundle} is refused: {_many(self.count('failed'), 'check')} failed."
        if self.count("warning"):
            return f"{self.bundle} is accepted, with {_many(self.count('warning'), 'warning')}."
        return f"{self.bundle} is accepted."


def mended(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in order of urgency, with texts cut to the length that a result may hold."""
    cut = (
        Finding(one.check, one.status, one.subject[:200], one.message[:1800]) for one in findings
    )
    return tuple(sorted(cut, key=lambda finding: STATUSES.index(finding.status)))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
