"""The processing time of separators, with one definition for every output."""

from __future__ import annotations

import pandas as pd

__all__ = ["real_time_factors", "timed_separations"]


def timed_separations(separations: pd.DataFrame) -> pd.DataFrame:
    """The separations that count for a model's speed: those that finished and have a time.

    The first separation of a worker includes compilation and cold caches, so it counts only for a
    model without any other separation.

    Parameters
    ----------
    separations
        Rows of `benchbench.results.schema.SEPARATIONS`, each attempt once.
    """
    done = separations[separations["status"].astype("object") == "ok"]
    done = done.dropna(subset=["wall_s", "audio_s"])
    done = done[done["audio_s"] > 0]
    first = done["first_in_worker"].astype("boolean").fillna(False).astype(bool)
    model = done["model"].astype("object")
    has_other = model.isin(model[~first].unique())
    return done[~first | ~has_other]


def real_time_factors(separations: pd.DataFrame) -> pd.Series:
    """Seconds of work for one second of audio, by model.

    The total time of all `timed_separations` of a model divided by the total length of their audio,
    so a long track has more weight than a short one. 1 / factor is "x real time".

    Parameters
    ----------
    separations
        Rows of `benchbench.results.schema.SEPARATIONS`, each attempt once.

    Returns
    -------
    Series
        Named ``real_time_factor``, indexed by model; a model that was never timed is not in it.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "model": ["a", "a", "a", "b"], "status": "ok", "wall_s": [9.0, 1.0, 3.0, 2.0],
    ...     "audio_s": [10.0, 10.0, 30.0, 4.0], "first_in_worker": [True, False, False, True]})
    >>> real_time_factors(table).to_dict()
    {'a': 0.1, 'b': 0.5}
    """
    timed = timed_separations(separations)
    sums = (
        timed[["wall_s", "audio_s"]].astype("float64").groupby(timed["model"].astype("str")).sum()
    )
    return (sums["wall_s"] / sums["audio_s"]).rename("real_time_factor").rename_axis("model")
