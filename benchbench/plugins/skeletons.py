"""Working example plug-ins: a model, a data set, a metric. NAME is replaced by the given name."""

from __future__ import annotations

from typing import Final

__all__ = ["SKELETONS"]

_ADAPTER_TOML: Final = """name = "NAME"
summary = "One line that says what it is"
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
summary = "One line that says what it contains"
layout = "folders"             # <root>/<track>/<stem>.wav (or .flac, .mp3, ...)
stems = ["vocals", "drums", "bass", "other"]
root_variable = "ROOTNAME_ROOT"
instructions = "Say how to obtain it."
# partial = true               # tracks may lack stems
# mixture = "mixture"          # a shipped mixture; without it: the sum of the stems
# splits = ["train", "test"]   # subfolders of the root

[licence]
name = "internal"
notice = "Say how it may be used."
audio_excerpts = false         # true: reports may hold excerpts to listen to
"""

_DATASET_README: Final = """# NAME

    bench doctor NAME --root FOLDER                    # are all tracks and stems there?
    bench run --models spleeter --dataset NAME --root FOLDER --limit 2

`dataset.toml` describes the layout of the files.
"""

_METRIC_TOML: Final = """name = "NAME"
version = 1                    # raise it whenever a number could change
summary = "By how much an estimate is too loud or too soft."
good_for = "Finding gain errors."
misleads = "An estimate full of other instruments may have the right level."
source = "The ratio of two energies."

[licence]
code = "MIT"

[metrics.NAME]
unit = "dB"
low = 0.0
high = 300.0
direction = "lower"
"""

_METRIC_PY: Final = '''"""NAME: replace `measure` by your metric."""

import numpy as np


def measure(reference, estimate, sample_rate):
    """How far the estimate's energy is from the reference's, in dB; None where there is none.

    Both are float32 arrays of shape (channels, samples), full scale at 1, equally long.
    """
    energies = [float(np.vdot(audio, audio)) for audio in (estimate, reference)]
    return abs(10 * np.log10(energies[0] / energies[1])) if min(energies) > 0 else None
'''

_METRIC_README: Final = """# NAME

    bench doctor ./metrics/NAME                        # does it keep the contract?
    bench run --metrics usdr,NAME --limit 2

`metric.toml` says what the number means, `metric.py` computes it.
"""

SKELETONS: Final = {
    "model": (
        "adapters",
        {"adapter.toml": _ADAPTER_TOML, "adapter.py": _ADAPTER_PY, "README.md": _MODEL_README},
    ),
    "dataset": (
        "datasets",
        {"dataset.toml": _DATASET_TOML, "README.md": _DATASET_README},
    ),
    "metric": (
        "metrics",
        {"metric.toml": _METRIC_TOML, "metric.py": _METRIC_PY, "README.md": _METRIC_README},
    ),
}
"""For each kind of plug-in its parent folder, and its files by name."""
