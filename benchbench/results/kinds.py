"""Which models are generative, as runs and imports recorded it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["generative_models"]


def generative_models(runs: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The models that are generative according to the newest run that contains them.

    Parameters
    ----------
    runs
        The contents of ``run.json`` files, oldest first.
    """
    told = {str(model["name"]): model for run in runs for model in run.get("models", ())}
    return frozenset(name for name, model in told.items() if model.get("generative"))
