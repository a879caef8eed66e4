"""Use stems that were computed elsewhere instead of a worker: ``kind = "folder"``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchbench.datasets.stem_files import TrackFiles, find_tracks, pair_tracks
from benchbench.datasets.tracks import Track
from benchbench.errors import AudioError, BenchbenchError, UsageError
from benchbench.io.audio.audio_files import Audio, require_finite
from benchbench.io.audio.decoding import Tell, blocks, info
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.metrics.pairing.stem_names import canonical, name_key
from benchbench.separation.separator import ModelSetup, SeparationResult

__all__ = ["Precomputed", "stems_folder"]


NO_TRACK = TrackFiles("", Path(), {})
"""Added to a single track, so that it is not paired with an arbitrary file."""


class Precomputed:
    """Reads ``<folder>/<track>/<stem>.<ending>``; their computing cost is unknown.

    Parameters
    ----------
    setup
        The model; its manifest names the folder.
    allow_truncated
        Whether files that were cut off are read as far as they go.
    """

    def __init__(self, setup: ModelSetup, allow_truncated: bool = False) -> None:
        self.setup = setup
        self.folder = stems_folder(setup)
        self.allow_truncated = allow_truncated
        self._tracks: list[TrackFiles] | None = None

    def __enter__(self) -> Precomputed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: no process runs."""

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
        cut: list[str] = []
        on_truncated = cut.append if self.allow_truncated else None
        try:
            files = self._files(track.name if track else "")
            stems = {
                stem: write_raw(
                    out / f"{number}.f32",
                    _checked(files[stem], sample_rate, mixture, on_truncated),
                )
                for number, stem in enumerate(self.setup.model.variant.stems)
            }
            for stem, raw in stems.items():
                if raw.samples == 0:
                    raise AudioError(f"{files[stem]} holds no samples.")
        except BenchbenchError as error:
            return SeparationResult("invalid_output", {}, str(error))
        return SeparationResult("ok", stems, " ".join(cut) or None)

    def _files(self, track: str) -> dict[str, Path]:
        """The track's files by the model's stem names."""
        if self._tracks is None:
            self._tracks = find_tracks(self.folder)
        wanted = TrackFiles(track, self.folder, {})
        pairs = pair_tracks([wanted, NO_TRACK], [*self._tracks, NO_TRACK])
        files_of_track = next((files for reference, files in pairs if reference is wanted), None)
        if files_of_track is None:
            raise UsageError(f"{self.folder} holds no track {track}.")
        if files_of_track.problem:
            raise UsageError(files_of_track.problem, hint="Keep one of them.")
        by_key = {name_key(canonical(stem)): path for stem, path in files_of_track.stems.items()}
        keys = {stem: name_key(canonical(stem)) for stem in self.setup.model.variant.stems}
        missing = [stem for stem, key in keys.items() if key not in by_key]
        if missing:
            raise UsageError(f"{files_of_track.folder} holds no {', '.join(missing)}.")
        return {stem: by_key[key] for stem, key in keys.items()}


def stems_folder(setup: ModelSetup) -> Path:
    """The folder that a manifest names, relative to the manifest's folder.

    Raises
    ------
    UsageError
        If it is missing.
    """
    model = setup.model
    folder = (model.adapter.folder / Path(model.manifest.folder).expanduser()).resolve()
    if not folder.is_dir():
        raise UsageError(
            f"{model.name}: there is no folder {folder}.",
            hint=f"Correct folder = ... in {model.adapter.folder / 'adapter.toml'}.",
        )
    return folder


def _checked(
    path: Path, sample_rate: int, mixture: RawAudio, on_truncated: Tell | None
) -> Iterator[Audio]:
    header = info(path)
    if (header.sample_rate, header.channels) != (sample_rate, mixture.channels):
        raise UsageError(
            f"{path} has {header.sample_rate} Hz and {header.channels} channels, its mixture "
            f"{sample_rate} Hz and {mixture.channels}."
        )
    position = 0
    for block in blocks(path, on_truncated=on_truncated):
        require_finite(block, str(path), position)
        position += block.shape[1]
        yield block
