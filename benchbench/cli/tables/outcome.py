"""The outcome of a run as JSON: counts, the report's place, and the leaderboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchbench.errors import NothingToCompareError

if TYPE_CHECKING:
    from benchbench.api.results import RunResult

__all__ = ["outcome_json"]


def outcome_json(result: RunResult) -> str:
    """A run as JSON; each record of `leaderboard` holds a model, a target, and its numbers.

    The numbers are named ``protocol/metric`` and aggregated as their protocols define; null: no value.
    """
    try:
        records = json.loads(result.leaderboard().reset_index().to_json(orient="records"))
    except NothingToCompareError:
        records = []
    return json.dumps(
        {
            "run": result.run_id,
            "models": list(result.models),
            "done": result.tally.ok,
            "failed": result.tally.failed,
            "stored_before": result.present,
            "report": str(result.report) if result.report else None,
            "leaderboard": records,
        },
        indent=1,
    )
