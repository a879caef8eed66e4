"""Draw ``docs/img/zipformer-comb.png``: a voice, and what is separated of it without and with the comb.

    python docs/figures/comb.py --material DIR

DIR is the prepared data set `rendered`. Of eight test songs that one is shown whose vocals gain most.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "adapters" / "zipformer")]

from zipformer_keras.configuration import bin_count  # noqa: E402
from zipformer_keras.inference import Separator  # noqa: E402
from zipformer_keras.notes import melody  # noqa: E402
from zipformer_keras.spectrum import analyse  # noqa: E402
from zipformer_keras.variants import TINY  # noqa: E402
from zipformer_keras.weights import WEIGHTS_FILE, noted, read_weights, without_heads  # noqa: E402

from benchmarks.structure.common import RATE, SHIPPED, excerpts, songs_with  # noqa: E402

SECONDS, TOP_HZ = 5.0, 3000.0
SPAN_DB = 60.0
LINE = "tab:cyan"


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--material", type=Path, required=True)
    given = parser.parse_args()
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    weights, notes = read_weights(SHIPPED / "tiny" / WEIGHTS_FILE)
    separators = {
        "vocals, without the comb": Separator(TINY, without_heads(weights)),
        "vocals, with the comb": Separator(noted(notes, "tiny"), weights),
    }
    heard: list[np.ndarray] = []
    separators["vocals, with the comb"].on_notes = heard.append
    best: tuple[float, dict[str, np.ndarray], np.ndarray] | None = None
    for folder in songs_with(given.material / "test", TINY.stems, 8):
        stems = excerpts(folder, TINY.stems, SECONDS)
        mixture = np.sum(list(stems.values()), axis=0)
        heard.clear()
        found = {name: s.separate(mixture, RATE)["vocals"] for name, s in separators.items()}
        errors = [np.square(sound - stems["vocals"]).sum() for sound in found.values()]
        gain = 10.0 * np.log10(errors[0] / errors[1])
        if best is None or gain > best[0]:
            shown = {"mixture": mixture, "vocals, true": stems["vocals"], **found}
            best = gain, shown, np.concatenate(heard)
    assert best is not None
    figure, axes = pyplot.subplots(1, 4, figsize=(13, 3.4), sharey=True, layout="constrained")
    for axis, (name, sound) in zip(axes, best[1].items(), strict=True):
        picture = _levels(sound)
        axis.imshow(picture.T, origin="lower", aspect="auto", cmap="magma", vmin=-SPAN_DB, vmax=0.0,
                    extent=(0.0, SECONDS, 0.0, TOP_HZ))  # fmt: skip
        axis.set_title(name)
        axis.set_xlabel("s")
    hertz, voicing = melody(best[2])
    times = (np.arange(len(hertz)) * TINY.step + TINY.frame / 2 - TINY.frame + TINY.step) / RATE
    axes[-1].plot(times, np.where(voicing > 0.5, hertz, np.nan), color=LINE, linewidth=1.2)
    axes[-1].set_xlim(0.0, SECONDS)
    axes[0].set_ylabel("Hz")
    figure.savefig(ROOT / "docs" / "img" / "zipformer-comb.png", dpi=72)
    print(f"the error of the vocals is {best[0]:.2f} dB lower with the comb")


def _levels(sound: np.ndarray) -> np.ndarray:
    """Levels of left and right together in dB below the loudest, (frames, bins)."""
    spectrum = analyse(sound, TINY.frame, TINY.step, bin_count(TINY.groups))
    energy = np.square(np.abs(spectrum)).sum(axis=0)[:, : round(TOP_HZ * TINY.frame / RATE)]
    levels = 10.0 * np.log10(energy + 1e-9)
    return np.asarray(levels - levels.max())


if __name__ == "__main__":
    main()
