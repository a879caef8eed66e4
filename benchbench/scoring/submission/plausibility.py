"""Do the models lie where they must lie: below oracles, above silence and the mixture?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from benchbench.scoring.submission.evidence import COLUMN, Evidence, adapter_of
from benchbench.scoring.submission.findings import Finding, Status
from benchbench.stats.wording import count

__all__ = ["check_baselines", "check_oracles"]

_RATIOS: Final = (("usdr", "SDR"), ("bsseval-v4", "SDR"), ("si", "SI-SDR"))
_BASELINES: Final = ("mixture", "silence")
_CLOSE_DB: Final = 0.05
_WORSE_DB: Final = 1.0


def check_oracles(evidence: Evidence) -> Iterator[Finding]:
    """No model is on average far above the best model that was shown the references."""
    table = _ratios(evidence.everyone)
    oracles = [name for name in table["model"].unique() if evidence.is_oracle(str(name))]
    if not oracles:
        yield Finding(
            "oracle", "warning", "", "No oracle is in the bundle or on the board to compare with."
        )
        return
    found = False
    for column, part in table.groupby(list(COLUMN)):
        wide = part.pivot_table(index="track", columns="model", values="value")
        bounds = wide.reindex(columns=oracles).dropna(axis=1, how="all")
        for name in evidence.models:
            if evidence.models[name].oracle or name not in wide or bounds.empty:
                continue
            above = (wide[name] - bounds.max(axis=1)).dropna()
            if len(above) and above.mean() > 0:
                found = True
                yield _above_oracle(name, str(column[1]), f"{column[2]} {column[3]}", above,
                                    evidence.rules.oracle_margin_db)  # fmt: skip
    if not found:
        yield Finding("oracle", "passed", "", f"No model is above {count(len(oracles), 'oracle')}.")


def _above_oracle(name: str, target: str, metric: str, above: pd.Series, margin: float) -> Finding:
    status: Status = "failed" if above.mean() > margin else "warning"
    return Finding(
        "oracle",
        status,
        name,
        f"{metric} of {target} is {above.mean():.2f} dB above the best oracle on average over "
        f"{len(above)} tracks, on {above.idxmax()} by {above.max():.2f} dB; up to {margin:g} dB are "
        "accepted, because the oracles keep the mixture's phase.",
    )


def check_baselines(evidence: Evidence) -> Iterator[Finding]:
    """Silence scores 0 dB, the mixture what its formula says, and separators more than the mixture."""
    problems = [
        *_silence(evidence),
        *_mixture(evidence),
        *_below_the_mixture(evidence),
    ]
    yield from problems
    if not problems:
        yield Finding("baselines", "passed", "", "Silence and mixture lie where they belong.")


def _silence(evidence: Evidence) -> Iterator[Finding]:
    table = evidence.tracks
    plain = table[(table["protocol"] == "usdr") & (table["metric"] == "SDR")]
    for name in evidence.models:
        own = plain[plain["model"] == name].dropna(subset=["value"])
        if adapter_of(name) == "silence":
            odd = own[own["value"].abs() > _CLOSE_DB]
            if len(odd):
                row = odd.iloc[0]
                yield Finding(
                    "baselines",
                    "failed",
                    name,
                    f"usdr SDR of silence is 0 dB by definition; {row['target']} on {row['track']} has "
                    f"{row['value']:.2f} dB.",
                )
            continue
        for target, part in own.groupby("target"):
            if len(part) > 1 and (part["value"].abs() < 1e-9).all():
                yield Finding(
                    "baselines", "failed", name, f"Its {target} scores as silence on every track."
                )


def _mixture(evidence: Evidence) -> Iterator[Finding]:
    """With two targets, the error of one estimate is the other reference, so both SDRs sum to 0 dB.

    Tracks with known errors are left out: their stems may not add up to the mixture.
    """
    table = evidence.tracks
    plain = table[(table["protocol"] == "usdr") & (table["metric"] == "SDR")]
    plain = plain[plain["reference_set"].str.count(r"\+") == 1]
    for name in evidence.models:
        own = plain[(plain["model"] == name) & ~plain["track"].isin(evidence.irregular_tracks)]
        if adapter_of(name) != "mixture" or own.empty:
            continue
        total = own.pivot_table(index="track", columns="target", values="value").dropna()
        error = total.sum(axis=1).abs() if total.shape[1] == 2 else pd.Series(dtype=float)
        if len(error) and error.max() > _CLOSE_DB:
            yield Finding(
                "baselines",
                "failed",
                name,
                "The SDRs of the mixture on two targets add up to 0 dB by definition; on "
                f"{error.idxmax()} they add up to {error.max():.2f} dB.",
            )


def _below_the_mixture(evidence: Evidence) -> Iterator[Finding]:
    """A separator that is worse than no separation at all has swapped, delayed or inverted stems."""
    table = _ratios(evidence.everyone)
    table = table[table["protocol"] == "usdr"]
    mixtures = [name for name in table["model"].unique() if adapter_of(str(name)) == "mixture"]
    if not mixtures:
        return
    for name in evidence.models:
        if adapter_of(name) in _BASELINES:
            continue
        losses = {}
        for column, part in table.groupby(list(COLUMN)):
            wide = part.pivot_table(index="track", columns="model", values="value")
            if name in wide and set(mixtures) & set(wide):
                plain = wide[[one for one in mixtures if one in wide]].max(axis=1)
                losses[f"{column[1]} ({column[0]})"] = float((wide[name] - plain).mean())
        if losses and all(loss < -_WORSE_DB for loss in losses.values()):
            worst = min(losses, key=lambda key: losses[key])
            yield Finding(
                "baselines",
                "failed",
                name,
                f"It is worse than the unprocessed mixture on every target, on {worst} by "
                f"{-losses[worst]:.2f} dB: stems may be swapped, delayed or inverted.",
            )


def _ratios(table: pd.DataFrame) -> pd.DataFrame:
    chosen = pd.Series(False, index=table.index)
    for protocol, metric in _RATIOS:
        chosen |= (table["protocol"] == protocol) & (table["metric"] == metric)
    return table[chosen & table["value"].notna()]
