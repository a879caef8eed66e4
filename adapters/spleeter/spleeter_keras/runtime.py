"""What runs the networks: one interface, two engines behind it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Magnitudes = npt.NDArray[np.float32]

MASK_EPSILON = 1e-10
"""The energy that shares silence out equally among the stems."""


class Runtime(Protocol):
    """Networks that are ready to run."""

    parameters: int

    def run(self, magnitudes: Magnitudes) -> Magnitudes:
        """Run all networks on one segment.

        Parameters
        ----------
        magnitudes
            float32 (2, frames, bins).

        Returns
        -------
        numpy.ndarray
            float32 (stems, 2, frames, bins): masks, each stem's share of the energy; or the
            estimated magnitudes, as was asked for when the runtime was made.
        """
