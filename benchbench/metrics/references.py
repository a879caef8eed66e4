"""The references of one track, and a store for values computed from them alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from benchbench.errors import UsageError
from benchbench.metrics.framing import Framing
from benchbench.metrics.signals import Signals

__all__ = ["CACHE_BYTES", "References"]

CACHE_BYTES = 192 << 20
"""Default limit of the memory for spectra that the next model uses again."""

T = TypeVar("T")


class References(Signals):
    """The references of a track; use one object to score all models.

    Values that depend on the references only (lag statistics, factorisations, band energies) are
    computed on first use and kept, so that they are not computed again for each further model.

    Parameters
    ----------
    stems
        Arrays of shape (channels, samples) by name, all of one shape. They are not copied.
    sample_rate
        In hertz.
    mixture
        The mixture, of shape (channels, samples), for the metrics that need one; by default the sum
        of the references. It is padded with zeros or cut to the length of the references.
    threads
        Number of threads, each of which computes different frames. The results are bit-identical
        for any number, because BLAS always runs on one thread.
    cache_bytes
        Limit of the memory that keeps the references' spectra for the next model. Spectra beyond it
        are computed again, which at most doubles the cost of a further model. 0 suits references
        that only one model is scored against.

    Raises
    ------
    AudioError
        For stems that differ in shape or hold NaN or infinity; the message gives the position.
    UsageError
        For no stems, or a rate or number of threads that is not a positive whole number.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).standard_normal((2, 1, 8000)) / 10
    >>> references = References({"vocals": noise[0], "drums": noise[1]}, sample_rate=8000)
    >>> references.names, references.channels, references.samples
    (('vocals', 'drums'), 1, 8000)
    """

    __slots__ = ("_kept", "_room", "mixture", "sample_rate", "threads")

    def __init__(
        self,
        stems: Mapping[str, npt.NDArray[Any]],
        sample_rate: int,
        *,
        mixture: npt.NDArray[Any] | None = None,
        threads: int = 1,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        if isinstance(stems, Mapping) and not stems:
            raise UsageError("There are no references to score against.")
        self.sample_rate = _whole_number("sample rate", sample_rate)
        self.threads = _whole_number("number of threads", threads)
        super().__init__(stems, "reference")
        self.mixture = (
            None
            if mixture is None
            else Signals({"mixture": mixture}, "mixture", like=self, samples=self.samples)
        )
        self._room = cache_bytes
        self._kept: dict[Hashable, Any] = {}

    def kept(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of `compute`, from the store if it was computed before.

        Parameters
        ----------
        key
            Identifies the value and everything it depends on besides the references.
        """
        if key not in self._kept:
            self._kept[key] = compute()
        value: T = self._kept[key]
        return value

    def kept_if_room(self, key: Hashable, size: int, compute: Callable[[], T]) -> T:
        """Like `kept`, but a value of `size` bytes is stored only while `cache_bytes` has room."""
        if key in self._kept:
            value: T = self._kept[key]
            return value
        value = compute()
        if size <= self._room:
            self._room -= size
            self._kept[key] = value
        return value

    @property
    def seconds(self) -> Framing:
        """Frames of one second, one after the other."""
        return Framing(self.samples, self.sample_rate, self.sample_rate)

    @property
    def duration_s(self) -> float:
        """The length of the track in seconds."""
        return self.samples / self.sample_rate


def _whole_number(what: str, value: object) -> int:
    """The value, checked to be a positive whole number.

    Raises
    ------
    UsageError
        If it is not; the message gives the value.
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        number = float(value)
        if number > 0 and number.is_integer():
            return int(number)
    raise UsageError(
        f"A {what} of {value!r} is not possible.",
        hint=f"The {what} is a positive whole number.",
    )
