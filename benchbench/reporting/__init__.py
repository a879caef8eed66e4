"""The HTML report: stored results in, one page that explains itself out.

Only Parquet, run facts and stored audio are read here: no model, no decoder, no network.
"""

from benchbench.reporting.report import report

__all__ = ["report"]
