"""Draw docs/img/low-passed-sir.svg: SIR and SAR collapse on band-limited audio, SDR does not.

    python docs/figures/low_passed.py

Stems and estimates are low-passed alike, once kept in float and once rounded to 16 bit as musdb
hands them out. Nothing about the separation changes from one cutoff to the next.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from scipy import signal

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from benchbench.metrics import evaluate  # noqa: E402
from benchbench.metrics.references import References  # noqa: E402
from metrics import RATE, music  # noqa: E402

CUTOFFS_HZ = (22_050, 20_000, 18_000, 16_000, 14_000, 12_000)
SHOWN = ("SDR", "SIR", "SAR", "log10-condition")


def main() -> None:
    """Score the same separation at every cutoff and draw the medians."""
    stems = music(10)
    mixture = sum(stems.values())
    noise = np.random.default_rng(0)
    estimates = {
        name: 0.85 * stem + 0.05 * mixture + 0.05 * stem.std() * noise.standard_normal(stem.shape)
        for name, stem in stems.items()
    }
    found = {
        exact: np.array([medians(stems, estimates, cutoff, exact) for cutoff in CUTOFFS_HZ])
        for exact in (True, False)
    }
    draw(found)


def medians(stems: dict, estimates: dict, cutoff: float, exact: bool) -> list[float]:
    """Medians over frames and stems of each shown metric."""
    given = [{n: low_passed(s, cutoff, exact) for n, s in x.items()} for x in (stems, estimates)]
    (series,) = evaluate(References(given[0], RATE), given[1], ["bsseval-v4"]).values()
    return [
        float(np.nanmedian(np.concatenate([one.values for one in series if one.metric == metric])))
        for metric in SHOWN
    ]


def low_passed(stem: np.ndarray, cutoff: float, exact: bool) -> np.ndarray:
    """The stem without what lies above `cutoff`, in float or rounded to 16 bit."""
    if cutoff < RATE / 2:
        stem = signal.sosfilt(signal.ellip(16, 0.1, 120, cutoff, output="sos", fs=RATE), stem)
    return stem if exact else np.round(np.clip(stem, -1, 1) * 32767).astype(np.int16)


def draw(found: dict[bool, np.ndarray]) -> None:
    """Write the figure; `found` holds an array (cutoffs, metrics) for float and for 16 bit."""
    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "benchbench"
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(7, 6), sharex=True, layout="constrained", height_ratios=(3, 2)
    )
    khz = np.array(CUTOFFS_HZ) / 1000
    for column, colour in enumerate(("#555555", "#c8553d", "#0a6ebd")):
        upper.plot(khz, found[True][:, column], "o-", color=colour, label=f"{SHOWN[column]}, float")
        upper.plot(
            khz, found[False][:, column], "s--", color=colour, label=f"{SHOWN[column]}, 16 bit"
        )
    upper.set_ylabel("median in dB")
    upper.legend(frameon=False, ncols=3, fontsize=8)
    upper.set_title("The same separation, low-passed: what BSS Eval 4 says of it")
    lower.plot(khz, found[True][:, 3], "o-", color="#333333", label="float")
    lower.plot(khz, found[False][:, 3], "s--", color="#333333", label="16 bit")
    lower.axhline(12, color="#c8553d", linewidth=1)
    lower.annotate("flagged ill_conditioned above", (khz[-1], 12.2), color="#c8553d", fontsize=8)
    lower.set_ylabel("log10 of the condition")
    lower.set_xlabel("cutoff in kHz")
    lower.legend(frameon=False, fontsize=8)
    lower.invert_xaxis()
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    target = ROOT / "docs" / "img" / "low-passed-sir.svg"
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None})
    for exact, values in found.items():
        print(
            "float" if exact else "16 bit",
            dict(zip(CUTOFFS_HZ, values.round(2).tolist(), strict=True)),
        )


if __name__ == "__main__":
    main()
