"""Songs without stems, for training without references: all readable audio files of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbench.datasets.dataset import Track
from benchbench.datasets.preparation import prepare
from benchbench.errors import AudioError, UsageError
from benchbench.io.audio.audio_files import Audio, quantised
from benchbench.io.audio.conversion import convert
from benchbench.io.audio.decoding import blocks, info
from benchbench.io.audio.raw_audio import RawAudio, write_raw

__all__ = ["Unlabelled", "peak", "read_unlabelled"]

RATE = 44100
"""Sample rate of the songs passed to recipes, in hertz."""
LEAST_S = 60.0
"""Minimum total length of the songs, in seconds."""
SILENT = 1e-4
"""A song with a lower peak (-80 dB of full scale) counts as silent."""
_LEFT_OUT = (
    ".txt",
    ".md",
    ".json",
    ".csv",
    ".jpg",
    ".png",
    ".pdf",
    ".toml",
    ".xml",
    ".nfo",
    ".cue",
)


@dataclass(frozen=True)
class Unlabelled:
    """A song without stems: only the mixture is available.

    Parameters
    ----------
    file
        The file that it was read from.
    raw
        Its samples, stereo at `RATE`.
    """

    file: Path
    raw: RawAudio

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.raw.samples / RATE

    def __call__(self) -> Mapping[str, Audio]:
        """``mixture``, float32 (2, samples), mapped."""
        return {"mixture": self.raw.open()}


def read_unlabelled(
    folder: Path, scratch: Path, tested: Sequence[Track], tell: Callable[[str], None]
) -> list[Unlabelled]:
    """Decode the audio files of a folder and of the folders in it.

    Unreadable and silent files are reported and left out.

    Parameters
    ----------
    folder
        The folder of the songs.
    scratch
        Folder for the decoded samples, which are kept.
    tested
        Test tracks; none of the songs may be one of them.
    tell
        Called with the files that are left out.

    Raises
    ------
    UsageError
        When the folder is missing, no file in it can be read, all are silent, the total length is
        below a minute, or a song is a track of `tested`.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder.", hint="--songs names a folder of audio files."
        )
    songs, unread, silent = [], [], []
    scratch.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(_candidates(folder)):
        try:
            raw = _decoded(path, scratch, number)
        except AudioError as error:
            unread.append(path)
            tell(f"{path} is left out: {error}")
            continue
        if peak(raw) < SILENT:
            silent.append(path)
            tell(f"{path} is left out: it is silent.")
            continue
        songs.append(Unlabelled(path, raw))
    _require_enough(folder, songs, unread, silent)
    _require_untested(songs, tested, scratch)
    return songs


def _candidates(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if (
            path.is_file()
            and not path.name.startswith(".")
            and path.suffix.lower() not in _LEFT_OUT
        ):
            yield path


def _decoded(path: Path, scratch: Path, number: int) -> RawAudio:
    header = info(path)
    raw = write_raw(scratch / f"song-{number}.f32", blocks(path))
    if raw.samples == 0:
        raise AudioError(f"{path} holds no samples.")
    if header.sample_rate == RATE and raw.channels == 2:
        return raw
    target = scratch / f"song-{number}-converted.f32"
    converted = convert(raw, target, header.sample_rate, RATE, 2)
    Path(raw.file).unlink()
    return converted


def peak(raw: RawAudio) -> float:
    """The largest magnitude of a sample."""
    audio = raw.open()
    step = 30 * RATE
    starts = range(0, raw.samples, step)
    return max(float(np.abs(audio[:, start : start + step]).max()) for start in starts)


def _require_enough(
    folder: Path, songs: Sequence[Unlabelled], unread: Sequence[Path], silent: Sequence[Path]
) -> None:
    if not songs and silent:
        raise UsageError(f"The songs of {folder} are silent: {', '.join(p.name for p in silent)}.")
    if not songs:
        tried = f" {len(unread)} files were tried." if unread else ""
        raise UsageError(
            f"{folder} holds no readable audio file.{tried}",
            hint="--songs takes WAV, FLAC, MP3, Ogg, M4A and other formats that PyAV decodes.",
        )
    seconds = sum(song.seconds for song in songs)
    if seconds < LEAST_S:
        raise UsageError(
            f"The songs of {folder} are {seconds:.0f} s long together.",
            hint=f"Training without stems needs at least {LEAST_S:.0f} s; hours are better.",
        )


def _require_untested(songs: Sequence[Unlabelled], tested: Sequence[Track], scratch: Path) -> None:
    """Raise an error if a song equals the mixture of a test track, rounded to 16 bit."""
    hashes = {_fingerprint(song.raw): song.file for song in songs}
    lengths = {song.raw.samples for song in songs}
    for number, track in enumerate(tested):
        prepared = prepare(track, scratch / f"tested-{number}")
        raw = prepared.mixture
        if raw.samples in lengths and (same := hashes.get(_fingerprint(raw))) is not None:
            raise UsageError(
                f"{same} is the track {track.name}, which models are tested on.",
                hint="Remove it from the folder: a model trained on it cannot be tested on it.",
            )


def _fingerprint(raw: RawAudio) -> str:
    digest, audio, step = hashlib.sha256(), raw.open(), 30 * RATE
    for start in range(0, raw.samples, step):
        rounded = quantised(np.asarray(audio[:, start : start + step]))
        digest.update((rounded * 32768.0).astype(np.int32).tobytes())
    return digest.hexdigest()
