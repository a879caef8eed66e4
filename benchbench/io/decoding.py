"""Decode audio files block by block.

WAV, FLAC, OGG and MP3 go through libsndfile; everything else (M4A, MP4, stem files with several
streams) through PyAV, whose wheels carry FFmpeg, so that no program has to be installed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.errors import AudioError

if TYPE_CHECKING:
    import soundfile

__all__ = ["BLOCK", "SUFFIXES", "Audio", "Info", "blocks", "info"]

Audio: TypeAlias = npt.NDArray[np.float32]
"""float32 of shape (channels, samples), full scale at 1."""

SNDFILE_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
SUFFIXES = SNDFILE_SUFFIXES | {".m4a", ".mp4", ".aac", ".wma", ".webm", ".mka"}
"""File name endings that are taken for audio when a folder is searched."""

BLOCK = 1 << 18
"""Samples a channel that are decoded at a time, about six seconds."""

AV_TOLERANCE = 8192
"""Samples by which a container's stated length may exceed what is decoded (encoder padding)."""


@dataclass(frozen=True, slots=True)
class Info:
    """What a file's header says; `samples` is None where only decoding can tell."""

    sample_rate: int
    channels: int
    samples: int | None


def info(path: Path, stream: int = 0) -> Info:
    """The sampling rate, channels and length of a file, without decoding it.

    Raises
    ------
    AudioError
        When the file is missing, empty or not audio.
    """
    _require_file(path)
    if path.suffix.lower() in SNDFILE_SUFFIXES:
        with _open_sndfile(path) as file:
            return Info(file.samplerate, file.channels, file.frames)
    with _open_av(path) as container:
        found = _audio_stream(container, stream, path)
        return Info(found.codec_context.sample_rate, found.codec_context.channels, None)


def blocks(path: Path, stream: int = 0) -> Iterator[Audio]:
    """Decode a file block by block, so that its length does not matter to memory.

    Parameters
    ----------
    path
        The file.
    stream
        Which of the file's audio streams, from 0.

    Yields
    ------
    float32 (channels, samples)

    Raises
    ------
    AudioError
        When the file is missing, empty, truncated or not audio.
    """
    _require_file(path)
    if path.suffix.lower() in SNDFILE_SUFFIXES:
        if stream:
            raise AudioError(f"{path} holds one audio stream; number {stream} was asked for.")
        yield from _sndfile_blocks(path)
    else:
        yield from _av_blocks(path, stream)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise AudioError(f"There is no file {path}.", hint="Check the path.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is empty.", hint="Write or download it again.")


def _open_sndfile(path: Path) -> soundfile.SoundFile:
    import soundfile

    try:
        return soundfile.SoundFile(str(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(
            f"{path} cannot be read as audio ({_reason(error)}).",
            hint="Check that it plays elsewhere, or write it again as WAV or FLAC.",
        ) from error


def _sndfile_blocks(path: Path) -> Iterator[Audio]:
    import soundfile

    _require_whole_wav(path)
    with _open_sndfile(path) as file:
        expected, found = file.frames, 0
        try:
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                found += block.shape[0]
                yield np.asarray(block.T, np.float32)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise _truncated(path, found, expected) from error
    if found < expected and path.suffix.lower() != ".mp3":  # an MP3's length is an estimate
        raise _truncated(path, found, expected)


def _require_whole_wav(path: Path) -> None:
    """Refuse a WAV whose data chunk promises more than the file holds.

    libsndfile reads such a file without complaint, as far as it goes.
    """
    with path.open("rb") as file:
        header = file.read(12)
        if header[:4] != b"RIFF" or header[8:12] != b"WAVE":
            return
        size = path.stat().st_size
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            if name == b"data":
                # Writers that stream leave 0 or the largest number here.
                if 0 < length < 0xFFFFFF00 and file.tell() + length > size:
                    raise AudioError(
                        f"{path} is truncated: it promises {length} bytes of sound and holds "
                        f"{size - file.tell()}.",
                        hint="Copy or download it again.",
                    )
                return
            file.seek(length + length % 2, 1)


def _truncated(path: Path, found: int, expected: int) -> AudioError:
    return AudioError(
        f"{path} is truncated or damaged: {found} of {expected} samples can be decoded.",
        hint="Copy or download it again.",
    )


def _open_av(path: Path) -> Any:
    import av

    try:
        return av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AudioError(
            f"{path} cannot be read as audio ({_reason(error)}).",
            hint="Check that it plays elsewhere, or write it again as WAV or FLAC.",
        ) from error


def _audio_stream(container: Any, stream: int, path: Path) -> Any:
    streams = container.streams.audio
    if stream >= len(streams):
        raise AudioError(
            f"{path} has {len(streams)} audio streams; number {stream} was asked for.",
            hint="A stem file holds mixture, drums, bass, other and vocals, numbered 0 to 4.",
        )
    return streams[stream]


def _av_blocks(path: Path, stream: int) -> Iterator[Audio]:
    import av

    with _open_av(path) as container:
        source = _audio_stream(container, stream, path)
        channels = source.codec_context.channels
        planar = av.AudioResampler(format="fltp")  # the sample format only: rate and layout stay
        pending: list[Audio] = []
        held = found = 0
        try:
            for frame in container.decode(source):
                for piece in planar.resample(frame):
                    samples = piece.to_ndarray().astype(np.float32, copy=False)
                    pending.append(samples)
                    held += samples.shape[1]
                    found += samples.shape[1]
                if held >= BLOCK:
                    yield np.concatenate(pending, axis=1)
                    pending, held = [], 0
        except (av.FFmpegError, ValueError) as error:
            raise AudioError(
                f"{path} is truncated or damaged ({_reason(error)}).",
                hint="Copy or download it again.",
            ) from error
        if pending:
            yield np.concatenate(pending, axis=1).reshape(channels, -1)
        expected = round(
            (source.duration or 0) * source.time_base * source.codec_context.sample_rate
        )
        if found + AV_TOLERANCE < expected:
            raise _truncated(path, found, expected)


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
