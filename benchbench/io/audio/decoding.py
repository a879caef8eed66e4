"""Decode audio files block by block, in any container and encoding.

A plain WAV or FLAC file goes through libsndfile, which is fast and exact there. Everything else
goes through FFmpeg: libsndfile estimates the length of an MP3 and fills missing audio with repeats.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.errors import AudioError
from benchbench.io.audio.containers import sniff
from benchbench.io.audio.ffmpeg_reader import (
    DecodingError,
    FileRange,
    channels,
    open_container,
    reason,
    select_stream,
    stated_samples,
    stream_blocks,
)
from benchbench.io.audio.joined import Part, parts
from benchbench.io.audio.stated_length import stated_length, wav_header

if TYPE_CHECKING:
    import soundfile

__all__ = ["BLOCK", "Audio", "Info", "Tell", "blocks", "info"]

Audio: TypeAlias = npt.NDArray[np.float32]
"""float32 of shape (channels, samples), full scale at 1."""

BLOCK = 1 << 18
"""Samples per channel that are decoded at a time, about six seconds."""

TOLERANCE = 8192
"""Samples by which a stated duration may exceed the decoded audio (encoder delay, padding)."""

TOLERANCES = {"mp3": 1152, "wavpack": 0, "tta": 0, "w64": 0, "aiff": 0}
"""The same tolerance, for formats where the delay is known better."""

Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Info:
    """The facts in a file's header; `samples` is None if only decoding gives the length."""

    sample_rate: int
    channels: int
    samples: int | None


def info(path: Path, stream: int = 0) -> Info:
    """The sampling rate, channels and length of a file, without decoding it.

    Raises
    ------
    AudioError
        If the file is missing, empty or not audio.
    """
    container = _container(path)
    if container == "wav" and _is_plain(path, container):
        return _sndfile_info(path)
    whole = Part(0, path.stat().st_size, stated_length(path, container), False)
    with open_container(path, whole) as opened:
        source = select_stream(opened, stream, path)
        format = source.codec_context.sample_rate, channels(source)
    if container != "flac":
        return Info(*format, None)
    lengths = [part.stated.samples for part in parts(path, container)]
    known = [length for length in lengths if length is not None]
    return Info(*format, sum(known) if len(known) == len(lengths) else None)


def blocks(path: Path, stream: int = 0, *, on_truncated: Tell | None = None) -> Iterator[Audio]:
    """Decode a file block by block, so that memory does not grow with its length.

    Parameters
    ----------
    path
        The file. Its content determines the format, not its name.
    stream
        Index of the audio stream, from 0.
    on_truncated
        Called with a sentence after the last block if the file is truncated; None: raise an error.

    Yields
    ------
    float32 (channels, samples)

    Raises
    ------
    AudioError
        If the file is missing, empty, truncated or not audio.
    """
    container = _container(path)
    if _is_plain(path, container) and (container == "wav" or on_truncated is None):
        if stream:
            raise AudioError(f"{path} holds one audio stream; number {stream} was requested.")
        try:
            yield from _sndfile_blocks(os.fsencode(path), path)
            return
        except DecodingError as error:
            for _ in _joined_blocks(path, container, stream, None):
                pass  # FFmpeg counts the existing audio, and mostly raises an error
            raise AudioError(
                f"{path} is damaged ({error}).", hint="Copy or download it again."
            ) from error
    yield from _joined_blocks(path, container, stream, on_truncated)


def _joined_blocks(
    path: Path, container: str, stream: int, on_truncated: Tell | None
) -> Iterator[Audio]:
    """Each part of the file in turn; all must have the same sampling rate and channels."""
    every = parts(path, container)
    first: tuple[int, int] | None = None
    for number, part in enumerate(every, 1):
        where = str(path) if len(every) == 1 else f"{path} (part {number} of {len(every)})"
        with open_container(path, part) as opened:
            source = select_stream(opened, stream, path)
            format = source.codec_context.sample_rate, channels(source)
            first = first or format
            if format != first:
                raise AudioError(
                    f"{where} has {format[0]} Hz and {format[1]} channels, the first part "
                    f"{first[0]} Hz and {first[1]}.",
                    hint="Split the file into its parts, or convert them to one format first.",
                )
            if part.is_vorbis and format[1] <= 2 and not part.stated.cut:
                yield from _vorbis_blocks(path, part)
                continue
            stated, tolerance = part.stated.samples, 0
            if stated is None and part.stated.seconds is not None:
                stated, tolerance = round(part.stated.seconds * format[0]), TOLERANCE
            elif stated is None and part.states_length:
                stated = stated_samples(opened, source)
                tolerance = TOLERANCES.get(container, TOLERANCE)
            decoded, stopped = 0, ""
            try:
                for block in stream_blocks(opened, source, BLOCK, where):
                    decoded += block.shape[1]
                    yield block
            except DecodingError as error:
                stopped = str(error)
        cut = _cut(part.stated.cut or stopped, decoded, stated, tolerance)
        if cut:
            _report_truncated(where, decoded, stated, format[0], cut, on_truncated)


def _vorbis_blocks(path: Path, part: Part) -> Iterator[Audio]:
    """Ogg Vorbis by libsndfile: FFmpeg mostly ends 128 samples before the end by the last page."""
    with path.open("rb") as file:
        try:
            yield from _sndfile_blocks(FileRange(file, part.start, part.end), path)
        except DecodingError as error:
            raise AudioError(
                f"{path} is damaged ({error}).", hint="Copy or download it again."
            ) from error


def _cut(known: str, decoded: int, stated: int | None, tolerance: int) -> str:
    """The evidence that audio is missing; "" if there is none."""
    if stated is not None and decoded >= stated:
        return ""
    if stated is not None and decoded + tolerance < stated:
        return known or "its end is missing"
    return known


def _report_truncated(
    where: str, decoded: int, stated: int | None, rate: int, cut: str, on_truncated: Tell | None
) -> None:
    present = f"{decoded} samples ({decoded / rate:.2f} s) are there"
    promised = (
        "how many there were is not known"
        if stated is None
        else f"{stated} ({stated / rate:.2f} s) were promised"
    )
    message = f"{where} is truncated or damaged: {present}, {promised} ({cut})."
    if on_truncated is None:
        raise AudioError(
            message,
            hint="Copy or download it again, or read what is there with --allow-truncated.",
        )
    on_truncated(message)


def _container(path: Path) -> str:
    if not path.is_file():
        raise AudioError(f"There is no file {path}.", hint="Check the path.")
    try:
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is empty.", hint="Write or download it again.")
        return sniff(path)
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror}.") from error


def _is_plain(path: Path, container: str) -> bool:
    """Whether libsndfile reads a file exactly: complete PCM or float WAV, or one FLAC stream."""
    if container == "wav":
        with path.open("rb") as file:
            header = wav_header(file, path.stat().st_size)
        if header and header.follower[:4] == b"RIFF" and header.follower[8:] == b"WAVE":
            raise AudioError(
                f"{path} holds two WAV files, one after the other.",
                hint="Join them in an audio editor, or split the file in two.",
            )
        return header is not None and header.is_plain
    if container == "flac":
        with path.open("rb") as file:
            has_tag_before = file.read(4) != b"fLaC"
        every = parts(path, container)
        return not has_tag_before and len(every) == 1 and every[0].stated.samples is not None
    return False


def _sndfile_info(path: Path) -> Info:
    with _open_sndfile(os.fsencode(path), path) as file:
        return Info(file.samplerate, file.channels, file.frames)


def _open_sndfile(source: bytes | FileRange, path: Path) -> soundfile.SoundFile:
    import soundfile

    try:
        return soundfile.SoundFile(source)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(
            f"{path} cannot be read as audio ({reason(error)}).",
            hint="Check that it plays in another program, or convert it to WAV or FLAC.",
        ) from error


def _sndfile_blocks(source: bytes | FileRange, path: Path) -> Iterator[Audio]:
    import soundfile

    decoded = 0
    with _open_sndfile(source, path) as file:
        try:
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                decoded += block.shape[0]
                yield np.asarray(block.T, np.float32)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise DecodingError(reason(error)) from error
        if decoded < file.frames:
            raise DecodingError("its end is missing")
