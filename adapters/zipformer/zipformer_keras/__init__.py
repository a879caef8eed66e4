"""A Zipformer that separates music, on Keras 3 and in ONNX Runtime.

The rooms, in the order in which data meets them: `configuration` and `variants` (sizes), `rates`
(any sampling rate), `spectrum` (waveform to frames and cells, and back), the network (`layers`,
`positions`, `attention`, `convolution`, `resampling`, `encoder`, `bands`, `network`), `weights`,
`onnx_graph` and `runtime` (what runs it), `inference` (one song, chunk by chunk, or live), and for
training `material`, `batches`, `objective`, `recipes` and `training`.
"""

from .configuration import Configuration
from .inference import Separator
from .variants import VARIANTS, latency_samples
from .weights import WeightsError

__all__ = ["VARIANTS", "Configuration", "Separator", "WeightsError", "latency_samples"]
