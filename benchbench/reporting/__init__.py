"""The HTML report: reads stored results, writes one self-explanatory page.

It reads only Parquet, run facts and stored audio: no model, no decoder, no network.
"""

from benchbench.reporting.report import report

__all__ = ["report"]
