"""What separations cost, one row a model."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

__all__ = ["COST_COLUMNS", "costs_of"]

COST_COLUMNS: Final = ("model", "real_time_factor", "peak_rss_bytes", "jobs", "separations")


def costs_of(separations: pd.DataFrame) -> pd.DataFrame:
    """Median real-time factor and greatest memory of each model, from finished separations.

    The first separation of a worker holds compilation and cold caches: it counts only where there
    is no other.
    """
    done = separations[separations["status"].astype("object") == "ok"]
    rows = []
    for model, group in done.groupby(done["model"].astype("object"), sort=True):
        warm = group[group["first_in_worker"].fillna(False).astype(bool).eq(False)]
        timed = warm if len(warm) else group
        factor = (timed["wall_s"] / timed["audio_s"]).replace([np.inf, -np.inf], np.nan)
        rows.append(
            {
                "model": str(model),
                "real_time_factor": float(factor.median()),
                "peak_rss_bytes": float(group["peak_rss_bytes"].max()),
                "jobs": int(group["jobs"].max()),
                "separations": len(group),
            }
        )
    return pd.DataFrame(rows, columns=list(COST_COLUMNS))
