"""Reports of a check: terminal, JUnit, step summary, JSON, HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

import msgspec

from benchbench.comparison.html import verdict_page
from benchbench.comparison.markdown import markdown_code, markdown_text
from benchbench.io.atomic import write_whole
from benchbench.io.terminal import printable
from benchbench.io.text_table import aligned
from benchbench.io.xml_text import clean_xml
from benchbench.scoring.submission.findings import CheckResult, Finding

__all__ = [
    "check_html",
    "check_json",
    "check_junit",
    "check_markdown",
    "check_text",
    "write_check_reports",
]

_COLUMNS: Final = ("status", "check", "about", "message")
_MOST_ROWS: Final = 500


def _cells(finding: Finding) -> tuple[str, ...]:
    return finding.status, finding.check, finding.subject or "-", finding.message


def check_text(result: CheckResult) -> str:
    """The findings and the verdict, for a terminal."""
    table = aligned(None, [_cells(finding) for finding in result.findings])
    return printable(f"{table}\n{result.headline}") + "\n"


def check_json(result: CheckResult) -> str:
    """Everything, as JSON."""
    content = {**msgspec.to_builtins(result), "exit_code": result.exit_code,
               "headline": result.headline}  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def check_junit(result: CheckResult) -> str:
    """JUnit XML: one case per finding; damage is an error, a broken rule a failure."""
    root = Xml.Element("testsuites", name="benchbench check")
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=clean_xml(result.bundle),
        tests=str(len(result.findings)),
        failures=str(result.count("failed")),
        errors=str(result.count("damaged")),
        skipped="0",
    )
    for finding in result.findings:
        case = Xml.SubElement(
            suite,
            "testcase",
            classname=clean_xml(finding.subject or result.bundle),
            name=clean_xml(finding.check),
            time="0",
        )
        tag = {"failed": "failure", "damaged": "error"}.get(finding.status)
        text = clean_xml(finding.message)
        if tag:
            Xml.SubElement(case, tag, type=finding.check, message=text).text = text
        else:
            Xml.SubElement(case, "system-out").text = f"{finding.status}: {text}"
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def check_markdown(result: CheckResult) -> str:
    """A step summary or a comment: the verdict, and a table of everything but what passed."""
    mark = {0: "✅", 1: "❌"}.get(result.exit_code, "⛔")
    lines = [f"## {mark} {markdown_text(result.headline)}\n\n"]
    if result.models:
        lines.append(f"{', '.join(map(markdown_code, result.models[:50]))}\n\n")
    shown = [one for one in result.findings if one.status != "passed"][:_MOST_ROWS]
    if shown:
        lines += [_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *map(_row, map(_cells, shown))]
    return "".join([*lines, f"\n{result.count('passed')} findings passed.\n"])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(markdown_text, cells))} |\n"


def check_html(result: CheckResult) -> str:
    """A self-contained page without scripts."""
    rows = [
        ("worse" if finding.status in ("failed", "damaged") else "", _cells(finding))
        for finding in result.findings
    ]
    return verdict_page(
        "submission.html", title=result.headline, header=_COLUMNS, rows=rows, result=result
    )


def write_check_reports(
    result: CheckResult,
    *,
    junit: Path | None = None,
    summary: Path | None = None,
    json_file: Path | None = None,
    html: Path | None = None,
) -> list[Path]:
    """Write the requested reports; `summary` is appended to.

    Raises
    ------
    OutputError
        When one cannot be written.
    """
    makers: tuple[tuple[Path | None, Callable[[CheckResult], str]], ...] = (
        (junit, check_junit),
        (json_file, check_json),
        (html, check_html),
    )
    written = [write_whole(path, make(result)) for path, make in makers if path is not None]
    if summary is not None:
        before = summary.read_bytes() if summary.exists() else b""
        written.append(write_whole(summary, before + check_markdown(result).encode()))
    return written
