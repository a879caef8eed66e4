"""Convert imported values to the form of local scores: finite, or missing with a known reason."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchbench.errors import UnknownNameError, UsageError
from benchbench.io.plain_files import read_plain
from benchbench.metrics import metric as metric_named

__all__ = ["LONGEST", "bounds", "read_text", "with_reasons"]

LONGEST = 256 << 20
"""Maximum bytes of a file that is read as text: several times as many are needed in memory."""

Values = npt.NDArray[np.float64]
Reasons = npt.NDArray[np.object_]


def bounds(protocol: str, metric: str) -> tuple[float, float]:
    """The lowest and highest value of a metric; infinite if it is unbounded or unknown."""
    try:
        known = metric_named(protocol, metric)
    except (UnknownNameError, UsageError):
        return -np.inf, np.inf
    return known.low, known.high


def with_reasons(values: Values, protocol: str, metric: str) -> tuple[Values, Reasons]:
    """Finite values, and the reasons why others are missing.

    An infinite ratio becomes the cap of its metric with the reason ``capped``, as in local scores;
    for a metric without a cap the value is missing (``not_finite``). NaN means that the source
    states no number (``not_stated``).

    Parameters
    ----------
    values
        Values of one metric, shape (n,); NaN if the source has no number.

    Returns
    -------
    values, reasons
        Float and object arrays of shape (n,).
    """
    low, high = bounds(protocol, metric)
    reasons = np.full(values.shape, None, dtype=object)
    reasons[np.isnan(values)] = "not_stated"
    values = values.copy()
    for infinite, cap in ((np.inf, high), (-np.inf, low)):
        here = values == infinite
        reasons[here] = "capped" if np.isfinite(cap) else "not_finite"
        values[here] = cap if np.isfinite(cap) else np.nan
    return values, reasons


_MARKS: Iterable[tuple[bytes, str]] = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte-order mark as Windows writes it.

    Raises
    ------
    UsageError
        When the file cannot be read, is no plain file, is larger than `LONGEST`, or is in another
        encoding.
    """
    try:
        data = read_plain(path.resolve(), LONGEST)
        encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
        return data.decode(encoding)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{path}, line {line}: byte {error.start} is not valid {error.encoding}.",
            hint="Save the file as UTF-8.",
        ) from error
