"""Is the model new, and was it kept from the songs that it is tested on?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import pandas as pd

from benchbench import metrics
from benchbench.scoring.submission.evidence import COLUMN, Evidence, adapter_of
from benchbench.scoring.submission.findings import Finding, Status

__all__ = ["check_copies", "check_training_data"]

_LEAST: Final = 6
"""Values that two models must share before they can be called equal."""
_EQUAL_DB: Final = 1e-6
_SHARE: Final = 0.95


def check_training_data(evidence: Evidence) -> Iterator[Finding]:
    """Training data is declared, and does not overlap with the data set."""
    dataset, marked = evidence.bundle.manifest.dataset, 0
    for name, model in evidence.models.items():
        stored = evidence.separations
        rows = stored.loc[stored["model"] == name, "trained_on"].astype("object").unique()
        seen = {one for text in rows for one in str(text).split()}
        names = seen | {one.partition(":")[0] for one in model.trained_on if ":" not in one}
        if dataset in names:
            marked += 1
            status: Status = "failed" if evidence.rules.unseen else "warning"
            yield Finding(
                "training data",
                status,
                name,
                f"It was trained on {dataset}, so its scores say little about new music.",
            )
        elif model.weights_hash and not model.oracle and not model.trained_on:
            marked += 1
            yield Finding(
                "training data",
                "warning",
                name,
                "It has weights, but declares no training data (`trained_on` in adapter.toml).",
            )
    if not marked:
        yield Finding("training data", "passed", "", f"No model declares to have seen {dataset}.")


def check_copies(evidence: Evidence) -> Iterator[Finding]:
    """No two models have the same scores, within the bundle or beside the board."""
    values = _by_model(evidence.tracks)
    others = _by_model(evidence.board_tracks)
    found = False
    for first, second in combinations(sorted(values), 2):
        if _equal(values[first], values[second]):
            found = True
            yield _copy(evidence, first, second)
    for first in sorted(values):
        for second in sorted(others):
            common = evidence.is_oracle(first) or _is_baseline(first)
            if common and adapter_of(first) == adapter_of(second):
                continue  # everybody may submit the usual oracles and baselines
            if _equal(values[first], others[second]):
                found = True
                yield _copy(evidence, first, second)
    if not found:
        yield Finding("copies", "passed", "", "No two models have equal scores.")


def _by_model(table: pd.DataFrame) -> dict[str, pd.Series]:
    telling = table["value"].abs() > _EQUAL_DB  # neither missing nor the 0 dB of silence
    rows = table[telling & ~table["metric"].isin(list(metrics.DIAGNOSTICS))]
    keys = ["track", *COLUMN]
    return {
        str(name): part.drop_duplicates(keys).set_index(keys)["value"]
        for name, part in rows.groupby("model")
    }


def _equal(first: pd.Series, second: pd.Series) -> bool:
    both = pd.concat([first, second], axis=1, join="inner")
    if len(both) < _LEAST:
        return False
    same = (both.iloc[:, 0] - both.iloc[:, 1]).abs() <= _EQUAL_DB
    return bool(same.mean() >= _SHARE)


def _copy(evidence: Evidence, first: str, second: str) -> Finding:
    if _content(evidence, first) == _content(evidence, second):
        return Finding(
            "copies",
            "warning",
            first,
            f"It is {second} again: the same adapter, weights and options.",
        )
    return Finding(
        "copies",
        "failed",
        first,
        f"Its scores equal those of {second}, but adapter, weights or options differ.",
    )


def _content(evidence: Evidence, model: str) -> tuple[str, ...]:
    if model in evidence.models:
        known = evidence.models[model]
        return known.adapter_hash, known.weights_hash, known.options_hash
    rows = evidence.board_separations
    own = rows[rows["model"] == model]
    if own.empty:
        return ("",)
    return tuple(str(own.iloc[-1][f"{kind}_hash"]) for kind in ("adapter", "weights", "options"))


def _is_baseline(model: str) -> bool:
    return adapter_of(model) in ("mixture", "silence")
