"""A gate for continuous integration: may the new results replace the baseline?

Nothing is ever accepted by itself: a baseline changes only when somebody asks for it, as a file that
is reviewed with the code. A gate that compared nothing neither passes nor claims a regression.
"""

from benchbench.gating.calibration import Calibration, calibrate
from benchbench.gating.config import GateConfig, read_gate_config
from benchbench.gating.decision import GateResult, accept, gate, gate_sides
from benchbench.gating.reports import (
    gate_html,
    gate_json,
    gate_junit,
    gate_markdown,
    gate_text,
    write_reports,
)
from benchbench.gating.rules import Check

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
