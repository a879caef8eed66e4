"""Working folders to start from: a model, a data set, a metric. NAME stands for the given name."""

from __future__ import annotations

from typing import Final

__all__ = ["SKELETONS"]

_ADAPTER_TOML: Final = """name = "NAME"
summary = "Say in one line what it is"
default_variant = "2stems"
# homepage = "https://..."
# deterministic = false        # where two runs differ

[licence]
code = "MIT"
# weights = "CC BY 4.0"

# [runtime]                    # an environment of its own; without this: benchbench's Python
# interpreter = "same"
# requirements = ["torch==2.13.0"]
# memory_mb = 2000

# [audio]                      # what it works on; the engine converts to it and back
# sample_rate = 44100

# [options]                    # settings with their defaults: bench run --option gain=0.4
# gain = 0.5

[variants.2stems]
stems = ["vocals", "accompaniment"]
trained_on = []
"""

_ADAPTER_PY: Final = '''"""NAME: replace the two marked places by your separator."""


class Adapter:
    """Separates a mixture into stems; needs nothing from benchbench."""

    def load(self, variant, weights, device, options):
        """Load the model, once per process.

        `variant` is a name of adapter.toml, `weights` the folder with the files of its [weights]
        (or None), `device` "auto", "cpu" or "gpu", `options` the settings by name.
        """
        self.share = 0.5  # your model here

    def separate(self, mixture, sample_rate):
        """Separate one mixture.

        `mixture` is a read-only float32 array (channels, samples). Return {stem: array of the same
        shape}, or yield such dicts for consecutive blocks of a long track.
        """
        vocals = self.share * mixture  # your separation here
        return {"vocals": vocals, "accompaniment": mixture - vocals}
'''

_MODEL_README: Final = """# NAME

    bench doctor NAME                                  # does it keep the contract?
    bench run --models NAME,mixture,irm --limit 2      # measure it

`adapter.toml` says what it is, `adapter.py` holds the code.
"""

_DATASET_TOML: Final = """name = "NAME"
summary = "Say in one line what it holds"
layout = "folders"             # <root>/<track>/<stem>.wav (or .flac, .mp3, ...)
stems = ["vocals", "drums", "bass", "other"]
root_variable = "ROOTNAME_ROOT"
instructions = "Say where its folder can be had."
# partial = true               # tracks may lack stems
# mixture = "mixture"          # a shipped mixture; without it: the sum of the stems
# splits = ["train", "test"]   # subfolders of the root

[licence]
name = "internal"
notice = "Say what may be done with it."
audio_excerpts = false         # true: reports may hold excerpts to listen to
"""

_DATASET_README: Final = """# NAME

    bench doctor NAME --root FOLDER                    # are all tracks and stems there?
    bench run --models spleeter --dataset NAME --root FOLDER --limit 2

`dataset.toml` says how the files lie.
"""

_METRIC_PY: Final = '''"""NAME: how much louder a stem came out than it should be. Replace `evaluate` by your metric."""

import numpy as np

from benchbench import metrics
from benchbench.metrics import Metric, Protocol, Series


def evaluate(references, estimates):
    """One number per target: the energy of the estimate over that of the reference, in dB.

    A value that does not exist is NaN with a reason, never a bare NaN.
    """
    found = []
    for target, estimate in estimates.items():
        row = references.names.index(target)
        reference = references.stem(row, 0, references.samples)
        energies = np.vdot(estimate, estimate), np.vdot(reference, reference)
        silent = [n for n, e in zip(("estimate", "reference"), energies, strict=True) if e == 0]
        value = np.nan if silent else 10 * np.log10(energies[0] / energies[1])
        reason = f"silent_{silent[0]}" if silent else None
        found.append(Series(target, "NAME", np.array([value]), np.array([reason], dtype=object)))
    return found


PROTOCOL = Protocol(
    name="NAME",
    version=1,  # raise it whenever a number could change
    metrics=(Metric("NAME", "dB", -300.0, 300.0),),
    aggregation="mean over tracks",
    summary="How much louder a stem came out than it should be",
    good_for="Finding gain errors.",
    misleads="A stem full of other instruments may have the right level.",
    source="An energy ratio",
    evaluate=evaluate,
)

if __name__ == "__main__":
    noise = np.random.default_rng(0).standard_normal((2, 44_100))
    scores = metrics.evaluate({"vocals": noise}, {"vocals": 2 * noise}, 44_100, [PROTOCOL])
    print(scores.to_frame())  # twice as loud: 6.02 dB
'''

_METRIC_TEST: Final = '''"""Hold NAME against a closed form: `python -m pytest metrics/NAME`."""

import numpy as np
import pytest
from metric import PROTOCOL

from benchbench import metrics


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_a_gain_is_its_own_level(gain):
    noise = np.random.default_rng(0).standard_normal((2, 44_100))
    scores = metrics.evaluate({"vocals": noise}, {"vocals": gain * noise}, 44_100, [PROTOCOL])
    assert scores.to_frame()["value"].iloc[0] == pytest.approx(20 * np.log10(gain), abs=1e-6)
'''

SKELETONS: Final = {
    "model": (
        "adapters",
        {"adapter.toml": _ADAPTER_TOML, "adapter.py": _ADAPTER_PY, "README.md": _MODEL_README},
    ),
    "dataset": (
        "datasets",
        {"dataset.toml": _DATASET_TOML, "README.md": _DATASET_README},
    ),
    "metric": ("metrics", {"metric.py": _METRIC_PY, "test_metric.py": _METRIC_TEST}),
}
"""For each kind the folder that holds such plug-ins, and the files of one by name."""
