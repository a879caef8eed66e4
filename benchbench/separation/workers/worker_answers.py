"""The valid answers of a worker: records with types and limits, as adapters are untrusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from benchbench.io.audio.raw_audio import RawAudio
from benchbench.io.redaction import redacted
from benchbench.io.terminal import printable, shortened

__all__ = [
    "LONGEST_ANSWER",
    "Answer",
    "Failure",
    "Loaded",
    "MeasuredValues",
    "Separated",
    "Streamed",
    "message",
    "read_answer",
]

LONGEST_ANSWER: Final = 4 << 20
"""Maximum bytes of a line; answers are far shorter."""
LONGEST_MESSAGE: Final = 2000
"""Maximum characters of an error."""

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]


class Failure(msgspec.Struct, frozen=True):
    """A request that did not succeed."""

    kind: str
    error: str


class Loaded(msgspec.Struct, frozen=True):
    """The adapter is loaded."""

    load_s: _Seconds
    parameters: _Count | None = None


class _Stem(msgspec.Struct, frozen=True):
    file: str
    channels: _Count
    samples: _Count


class Stems(msgspec.Struct, frozen=True, kw_only=True):
    """Stems that were written into files."""

    stems: dict[str, _Stem]

    def audio(self, folder: Path, stems: Sequence[str], channels: int) -> dict[str, RawAudio]:
        """The stems, if each is a file of that folder and matches the answer.

        Raises
        ------
        ValueError
            If a file differs from the answer; the message names the difference.
        """
        if set(self.stems) != set(stems):
            raise ValueError(f"it answered with the stems {sorted(self.stems)}")
        for name, stem in self.stems.items():
            path = Path(stem.file)
            if path.parent != folder or path.is_symlink() or not path.is_file():
                raise ValueError(f"the file of the stem {name} is not where it belongs")
            size = path.stat().st_size
            if stem.channels != channels or size != 4 * stem.channels * stem.samples:
                raise ValueError(f"the file of the stem {name} has {size} bytes")
        return {
            name: RawAudio(stem.file, stem.channels, stem.samples)
            for name, stem in self.stems.items()
        }


class Separated(Stems, frozen=True, kw_only=True):
    """A mixture was separated into files."""

    wall_s: _Seconds
    peak_rss: _Count | None = None


class Streamed(Stems, frozen=True, kw_only=True):
    """A mixture went through a live separator: seconds per block, input and output samples."""

    seconds: list[_Seconds]
    outputs: list[tuple[_Count, _Count]]


class MeasuredValues(msgspec.Struct, frozen=True):
    """The values of a metric: finite numbers by name, or None for a missing value."""

    values: dict[str, float | None]


Answer: TypeAlias = Loaded | Separated | Streamed | MeasuredValues

_KINDS: Final[Mapping[str, type]] = {
    "load": Loaded,
    "separate": Separated,
    "stream": Streamed,
    "measure": MeasuredValues,
}


def read_answer(line: bytes, request: str) -> Failure | Answer:
    """One line as an answer to a request.

    Raises
    ------
    ValueError
        If the line is not a valid answer.
    """
    try:
        given: Any = msgspec.json.decode(line)
        if not isinstance(given, dict) or not isinstance(given.get("ok"), bool):
            raise ValueError("no answer")
        kind: type = _KINDS[request] if given.pop("ok") else Failure
        answer: Failure | Answer = msgspec.convert(given, kind)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if isinstance(answer, Separated) and not math.isfinite(answer.wall_s):
        raise ValueError("a time that is not finite")
    return answer


def message(text: str) -> str:
    """An error of an adapter, ready for tables and pages: short, without secrets, printable."""
    return shortened(printable(redacted(text[: 2 * LONGEST_MESSAGE])), LONGEST_MESSAGE)
