"""A Zipformer that separates music, on Keras 3 and in ONNX Runtime.

In the order in which data meets them: `configuration` and `variants` (sizes), `sample_rate` (any
sampling rate), `spectrum` (waveform to frames and cells, and back), `network/` (the layers in Keras),
`weights`, `onnx/` (the same as a graph), `runtime` (what runs it), `inference` (one song, chunk by
chunk, or live), and `training/` (augmentation, batches, loss, recipes, the loop).
"""

from .configuration import Configuration
from .inference import Separator
from .variants import VARIANTS, latency_samples
from .weights import WeightsError

__all__ = ["VARIANTS", "Configuration", "Separator", "WeightsError", "latency_samples"]
