"""Reports of the gate's decision: terminal, JUnit, step summary, JSON, HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

from benchbench.comparison.gate.decision import GateResult
from benchbench.comparison.gate.rules import Check
from benchbench.comparison.html import comparison_parts, verdict_page
from benchbench.comparison.markdown import markdown_code, markdown_text
from benchbench.comparison.text import records
from benchbench.io.atomic import write_whole
from benchbench.io.terminal import printable
from benchbench.io.text_table import aligned
from benchbench.io.xml_text import clean_xml

__all__ = [
    "SUMMARY_LIMIT",
    "gate_html",
    "gate_json",
    "gate_junit",
    "gate_markdown",
    "gate_text",
    "write_reports",
]

SUMMARY_LIMIT: Final = 1_000_000
"""Bytes of a step summary. GitHub refuses more than 1 MiB (1,048,576 bytes) per step."""

_ORDER: Final = ("failed", "not compared", "warning", "passed")
_COLUMNS: Final = ("status", "model", "target", "metric", "rule", "message")


def _ordered(checks: Sequence[Check]) -> list[Check]:
    return sorted(checks, key=lambda check: _ORDER.index(check.status))


def _cells(check: Check) -> tuple[str, ...]:
    return (check.status, check.model, check.target or "-", check.metric, check.rule, check.message)


def gate_text(result: GateResult, *, limit: int = 30) -> str:
    """The decision and the checks behind it, for a terminal."""
    shown = [check for check in _ordered(result.checks) if check.status != "passed"][:limit]
    lines = aligned(None, [_cells(check) for check in shown]).splitlines()
    hidden = len(result.checks) - result.count("passed") - len(shown)
    if hidden:
        lines.append(f"... and {hidden} more; --json has them all.")
    passed = f"{result.count('passed')} of {len(result.checks)} checks passed"
    if lines:
        lines.append("")
    return printable("\n".join([*lines, f"{result.headline} ({passed})"])) + "\n"


def gate_junit(result: GateResult) -> str:
    """JUnit XML: one suite per model, one case per target and metric.

    A row that was not compared is an error, because a report with only skipped cases shows green.
    """
    root = Xml.Element("testsuites", name="benchbench gate")
    by_model: dict[str, list[Check]] = {}
    for check in result.checks:
        by_model.setdefault(check.model, []).append(check)
    if not by_model:
        by_model = {"gate": [Check("gate", "", "comparison", "not compared", "", result.headline)]}
    for model, checks in by_model.items():
        suite = Xml.SubElement(root, "testsuite", name=clean_xml(model), tests=str(len(checks)))
        for status, name in (("failed", "failures"), ("not compared", "errors"), ("", "skipped")):
            suite.set(name, str(sum(check.status == status for check in checks)))
        for check in checks:
            case = Xml.SubElement(
                suite,
                "testcase",
                classname=clean_xml(".".join(filter(None, (model, check.target)))),
                name=clean_xml(check.metric),
                time="0",
            )
            tag = {"failed": "failure", "not compared": "error"}.get(check.status)
            if tag:
                found = Xml.SubElement(case, tag, type=check.rule, message=clean_xml(check.message))
                found.text = clean_xml(f"{check.rule}: {check.message}")
            elif check.message:
                said = f"{check.status}, {check.rule}: {check.message}"
                Xml.SubElement(case, "system-out").text = clean_xml(said)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def gate_markdown(result: GateResult, *, limit: int = SUMMARY_LIMIT) -> str:
    """A step summary of at most `limit` bytes: the least urgent rows are left out."""
    mark = {0: "✅", 1: "❌"}.get(result.exit_code, "⚠️")
    head = f"## {mark} {result.headline}\n\n"
    if result.comparison is not None:
        head += (
            f"{markdown_code(result.comparison.b)} against {markdown_code(result.comparison.a)}, "
        )
    head += f"profile {result.config.profile}.\n\n"
    checks = _ordered(result.checks)
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    tail = "\n{} rows are left out; the JSON report has them all.\n"
    room = limit - len(head.encode()) - sum(len(line.encode()) for line in lines) - len(tail) - 20
    shown = 0
    for check in checks:
        line = _line(_cells(check))
        room -= len(line.encode())
        if room < 0:
            break
        lines.append(line)
        shown += 1
    hidden = len(checks) - shown
    return head + "".join(lines) + (tail.format(hidden) if hidden else "")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(markdown_text, cells))} |\n"


def gate_json(result: GateResult) -> str:
    """Everything, as JSON."""
    comparison = result.comparison
    return json.dumps(
        {
            "schema": 1,
            "exit_code": result.exit_code,
            "headline": result.headline,
            "checks": [asdict(check) for check in result.checks],
            "rows": records(comparison.rows) if comparison else [],
            "costs": records(comparison.costs) if comparison else [],
            "settings": dict(comparison.settings) if comparison else {},
            "config": asdict(result.config),
        },
        indent=2,
        allow_nan=False,
    )


def gate_html(result: GateResult) -> str:
    """A self-contained page: the checks, then the whole comparison."""
    checks = [
        ("worse" if check.status == "failed" else "", _cells(check))
        for check in _ordered(result.checks)
    ]
    compared = comparison_parts(result.comparison) if result.comparison is not None else None
    return verdict_page(
        "gate.html", title=result.headline, header=_COLUMNS, checks=checks, compared=compared
    )


def write_reports(
    result: GateResult,
    *,
    junit: Path | None = None,
    summary: Path | None = None,
    json_file: Path | None = None,
    html: Path | None = None,
) -> list[Path]:
    """Write the requested reports.

    Parameters
    ----------
    result
        The value returned by `gate`.
    junit, json_file, html
        Files to write.
    summary
        A file to append to, as ``$GITHUB_STEP_SUMMARY`` asks.

    Raises
    ------
    OutputError
        When one cannot be written.
    """
    makers: tuple[tuple[Path | None, Callable[[GateResult], str]], ...] = (
        (junit, gate_junit),
        (json_file, gate_json),
        (html, gate_html),
    )
    written = []
    for path, make in makers:
        if path is not None:
            write_whole(path, make(result))
            written.append(path)
    if summary is not None:
        before = summary.read_bytes() if summary.exists() else b""
        write_whole(
            summary, before + gate_markdown(result, limit=SUMMARY_LIMIT - len(before)).encode()
        )
        written.append(summary)
    return written
