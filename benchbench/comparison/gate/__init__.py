"""A gate for continuous integration: may the new results replace the baseline?

Nothing is accepted automatically: a baseline changes only on request, as a file that is reviewed
with the code. A gate that compared nothing neither passes nor reports a regression.
"""

from benchbench.comparison.gate.calibration import Calibration, calibrate
from benchbench.comparison.gate.config import GateConfig, read_gate_config
from benchbench.comparison.gate.decision import GateResult, accept, gate, gate_sides
from benchbench.comparison.gate.reports import (
    gate_html,
    gate_json,
    gate_junit,
    gate_markdown,
    gate_text,
    write_reports,
)
from benchbench.comparison.gate.rules import Check

__all__ = [
    "Calibration",
    "Check",
    "GateConfig",
    "GateResult",
    "accept",
    "calibrate",
    "gate",
    "gate_html",
    "gate_json",
    "gate_junit",
    "gate_markdown",
    "gate_sides",
    "gate_text",
    "read_gate_config",
    "write_reports",
]
