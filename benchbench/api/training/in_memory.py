"""Python functions as models of a run: their stems are written to files, which the run scores."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchbench.api.training.validator import Separate, stems_of
from benchbench.datasets.dataset import Track
from benchbench.datasets.preparation import prepare
from benchbench.errors import AudioError, UsageError
from benchbench.io.audio.audio_files import Audio, require_finite, write_w64
from benchbench.io.names import file_name
from benchbench.io.processes.scratch import scratch_folder
from benchbench.io.toml_files import toml_text

__all__ = ["as_models"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*", re.IGNORECASE)

_MANIFEST = """name = "{name}"
summary = "A Python function"
kind = "folder"
folder = "stems"
default_variant = "{variant}"
[licence]
code = "unknown"
[variants.{variant}]
stems = {stems}
"""


@contextmanager
def as_models(
    functions: Mapping[str, Separate],
    tracks: Sequence[Track],
    tell: Callable[[str], None],
    *,
    reserved: Sequence[str] = (),
    allow_truncated: bool = False,
) -> Iterator[tuple[Path, ...]]:
    """Adapter folders with the stems of each function, deleted at the end.

    Every function separates every track in this process.

    Parameters
    ----------
    functions
        By the name of the model.
    tracks
        The tracks to separate.
    tell
        Called before each function with what is done.
    reserved
        Names of adapters, which no function may have.
    allow_truncated
        Whether truncated audio files are read up to their end.

    Raises
    ------
    UsageError
        For a name that is no plain word or belongs to an adapter, or when a function fails; the
        function's exception is the cause.
    AudioError
        For stems that do not fit the mixture.
    """
    for name in functions:
        _require_good_name(name, reserved)
    if not functions:
        yield ()
        return
    with scratch_folder() as place:
        folders = tuple(place / name for name in functions)
        for name, folder in zip(functions, folders, strict=True):
            tell(f"Separating {len(tracks)} tracks with the function {name}")
            _Function(name, functions[name], folder, allow_truncated).separate(tracks)
        yield folders


class _Function:
    """One function and the folder of its stems."""

    def __init__(self, name: str, function: Separate, folder: Path, allow_truncated: bool) -> None:
        self.name, self.function, self.folder = name, function, folder
        self.allow_truncated = allow_truncated
        self.stems: tuple[str, ...] = ()

    def separate(self, tracks: Sequence[Track]) -> None:
        """Write ``stems/<track>/<stem>.w64`` for each track, and the manifest."""
        for track in tracks:
            stems, rate = self._separated(track)
            self.stems = self.stems or tuple(stems)
            if set(stems) != set(self.stems):
                raise AudioError(
                    f"{self.name}: {track.name} has the stems {', '.join(stems)}, the first track "
                    f"has {', '.join(self.stems)}.",
                    hint="Return the same stems for every track.",
                )
            target = self.folder / "stems" / file_name(track.name)
            target.mkdir(parents=True)
            for stem, audio in stems.items():
                write_w64(target / f"{file_name(stem)}.w64", audio, rate)
        listed = ", ".join(map(toml_text, self.stems))
        text = _MANIFEST.format(
            name=self.name, variant=f"{len(self.stems)}stems", stems=f"[{listed}]"
        )
        (self.folder / "adapter.toml").write_text(text, encoding="utf-8")

    def _separated(self, track: Track) -> tuple[dict[str, Audio], int]:
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as scratch:
            prepared = prepare(track, Path(scratch), allow_truncated=self.allow_truncated)
            mixture, rate = np.array(prepared.mixture.open()), prepared.sample_rate
        try:
            answer: Any = self.function(mixture.copy(), rate)
        except Exception as error:
            raise UsageError(
                f"{self.name} failed on {track.name}: {type(error).__name__}: {error}",
                hint="Nothing of this run was stored; results of earlier runs are unchanged.",
            ) from error
        return {
            stem: _fitting(audio, mixture, f"{self.name}: {stem} of {track.name}")
            for stem, audio in stems_of(answer).items()
        }, rate


def _fitting(audio: Any, mixture: Audio, what: str) -> Audio:
    stem: Audio = np.asarray(audio, np.float32)
    if stem.shape != mixture.shape:
        raise AudioError(
            f"{what} has the shape {stem.shape}, the mixture {mixture.shape}.",
            hint="A stem has the shape (channels, samples) of its mixture.",
        )
    require_finite(stem, what, 0)
    return stem


def _require_good_name(name: str, reserved: Sequence[str]) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a model.", hint="Use letters, digits, hyphens and underscores."
        )
    if name in reserved:
        raise UsageError(f"{name} is an adapter already.", hint="Give the function another name.")
