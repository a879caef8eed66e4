"""Time and memory of separations, one row per model."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from benchbench.stats.costs import real_time_factors

__all__ = ["COST_COLUMNS", "costs_of"]

COST_COLUMNS: Final = ("model", "real_time_factor", "peak_rss_bytes", "jobs", "separations")


def costs_of(separations: pd.DataFrame) -> pd.DataFrame:
    """Real-time factor and peak memory of each model, from the newest finished separations.

    Parameters
    ----------
    separations
        Rows of `benchbench.results.schema.SEPARATIONS`, one per attempt.
    """
    done = separations[separations["status"].astype("object") == "ok"]
    factors = real_time_factors(separations)
    rows = []
    for model, group in done.groupby(done["model"].astype("object"), sort=True):
        rows.append(
            {
                "model": str(model),
                "real_time_factor": float(factors.get(str(model), np.nan)),
                "peak_rss_bytes": float(group["peak_rss_bytes"].max()),
                "jobs": int(group["jobs"].max()),
                "separations": len(group),
            }
        )
    return pd.DataFrame(rows, columns=list(COST_COLUMNS))
