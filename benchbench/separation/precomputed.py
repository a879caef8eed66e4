"""Stems that were computed elsewhere, in the place of a worker: ``kind = "folder"``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchbench.datasets.stem_files import find_stems
from benchbench.datasets.tracks import Track
from benchbench.errors import BenchbenchError, UsageError
from benchbench.io.audio.audio_files import Audio, require_finite
from benchbench.io.audio.decoding import blocks, info
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.separation.separator import ModelSetup, SeparationResult

__all__ = ["Precomputed", "stems_folder"]


class Precomputed:
    """Reads ``<folder>/<track>/<stem>.<ending>``; what it cost to make them is not known.

    Parameters
    ----------
    setup
        The model; its manifest names the folder.
    """

    def __init__(self, setup: ModelSetup) -> None:
        self.setup = setup
        self.folder = stems_folder(setup)

    def __enter__(self) -> Precomputed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing: no process runs."""

    def separate(
        self,
        mixture: RawAudio,
        sample_rate: int,
        out: Path,
        references: Mapping[str, RawAudio] | None = None,
        *,
        track: Track | None = None,
    ) -> SeparationResult:
        """The track's stems as raw files in the folder `out`."""
        del references
        try:
            files = self._files(track.name if track else "")
            stems = {
                stem: write_raw(out / f"{number}.f32", _checked(files[stem], sample_rate, mixture))
                for number, stem in enumerate(self.setup.model.variant.stems)
            }
        except BenchbenchError as error:
            return SeparationResult("invalid_output", {}, str(error))
        return SeparationResult("ok", stems)

    def _files(self, track: str) -> dict[str, Path]:
        place = self.folder / track
        found = find_stems(place) if place.is_dir() else {}
        missing = [stem for stem in self.setup.model.variant.stems if stem not in found]
        if missing:
            raise UsageError(f"{place} holds no {', '.join(missing)}.")
        return found


def stems_folder(setup: ModelSetup) -> Path:
    """The folder that a manifest names, seen from the manifest.

    Raises
    ------
    UsageError
        When it is not there.
    """
    model = setup.model
    folder = (model.adapter.folder / Path(model.manifest.folder).expanduser()).resolve()
    if not folder.is_dir():
        raise UsageError(
            f"{model.name}: there is no folder {folder}.",
            hint=f"Correct folder = ... in {model.adapter.folder / 'adapter.toml'}.",
        )
    return folder


def _checked(path: Path, sample_rate: int, mixture: RawAudio) -> Iterator[Audio]:
    header = info(path)
    if (header.sample_rate, header.channels) != (sample_rate, mixture.channels):
        raise UsageError(
            f"{path} has {header.sample_rate} Hz and {header.channels} channels, its mixture "
            f"{sample_rate} Hz and {mixture.channels}."
        )
    position = 0
    for block in blocks(path):
        require_finite(block, str(path), position)
        position += block.shape[1]
        yield block
