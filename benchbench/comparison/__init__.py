"""Compare two sets of results: what got better, what got worse, what is inconclusive.

A side is a results folder, one of its runs or models, or a baseline file. Only numbers of the same
data set, reference set, protocol, metric version and band are compared; all others are reported
with the reason why they are not.
"""

from benchbench.comparison.baselines import read_baseline, write_baseline
from benchbench.comparison.compare import ALPHA, Comparison, compare, compare_sides
from benchbench.comparison.html import comparison_html
from benchbench.comparison.loading import open_side
from benchbench.comparison.side import Side
from benchbench.comparison.terminal import comparison_text
from benchbench.comparison.text import comparison_json, comparison_markdown
from benchbench.comparison.verdicts import VERDICTS, Tolerances

__all__ = [
    "ALPHA",
    "VERDICTS",
    "Comparison",
    "Side",
    "Tolerances",
    "compare",
    "compare_sides",
    "comparison_html",
    "comparison_json",
    "comparison_markdown",
    "comparison_text",
    "open_side",
    "read_baseline",
    "write_baseline",
]
