"""Which models are baselines, and which are generative as runs and imports recorded it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["BASELINES", "generative_models"]

BASELINES: Final = ("mixture", "silence")
"""Adapters that do not separate; they show a metric's value for trivial estimates."""


def generative_models(runs: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The models that are generative according to the newest run that contains them.

    Parameters
    ----------
    runs
        The contents of ``run.json`` files, oldest first.
    """
    newest = {str(model["name"]): model for run in runs for model in run.get("models", ())}
    return frozenset(name for name, model in newest.items() if model.get("generative"))
