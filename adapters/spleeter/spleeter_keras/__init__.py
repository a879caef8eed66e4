"""Spleeter's U-Nets on Keras 3: a separator of songs of any length in constant memory.

The rooms, in the order in which data meets them: `architecture` (what the networks look like),
`checkpoint` (their weights, by name), `signal_path` (waveform to spectrum and back),
`resampling` (any sampling rate), `wiener` (the optional multichannel filter), `inference`
(one song, segment by segment) and `training`.
"""

from .architecture import VARIANTS, Configuration
from .checkpoint import CheckpointError
from .inference import Separator

__all__ = ["VARIANTS", "CheckpointError", "Configuration", "Separator"]
