"""Decode with FFmpeg, which PyAV's wheels include, so that no program has to be installed."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from benchbench.errors import AudioError
from benchbench.io.audio.containers import mpeg_frame_bytes
from benchbench.io.audio.joined import Part

__all__ = [
    "DecodingError",
    "FileRange",
    "channels",
    "open_container",
    "select_stream",
    "stated_samples",
    "stream_blocks",
]

DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,"
    "mj2,mp3,mpc,mpc8,mpeg,mpegts,ogg,tta,voc,w64,wav,wv"
)
"""Formats that may be opened: no playlists, pictures, texts or addresses."""

SCALES = {
    "u8": (128.0, 128.0), "s16": (0.0, 32768.0), "s32": (0.0, 2147483648.0),
    "flt": (0.0, 1.0), "dbl": (0.0, 1.0),
}  # fmt: skip
"""Offset and divisor of a sample format, which give full scale at 1."""

SPEAKERS = (
    "FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR",
    "TBL", "TBC", "TBR", "DL", "DR", "WL", "WR", "SDL", "SDR", "LFE2", "TSL", "TSR", "BFC", "BFL",
    "BFR", "SSL", "SSR", "TTL", "TTR",
)  # fmt: skip
"""FFmpeg's and WAV's order of channels. A file may declare another order."""


class DecodingError(Exception):
    """The decoder found an error; earlier audio is valid."""


class FileRange:
    """A part of a file as a separate file object for decoders."""

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self._file, self._start, self._size, self._place = file, start, end - start, 0

    def read(self, count: int) -> bytes:
        """Read at most the given number of bytes."""
        self._file.seek(self._start + self._place)
        content = self._file.read(min(count, self._size - self._place))
        self._place += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Set the position in the part."""
        base = (0, self._place, self._size)[whence]
        self._place = max(0, min(base + offset, self._size))
        return self._place

    def tell(self) -> int:
        """The position in the part."""
        return self._place


@contextmanager
def open_container(path: Path, part: Part) -> Iterator[Any]:
    """Open a part of a file with FFmpeg, by its content.

    Raises
    ------
    AudioError
        If its format is not supported.
    """
    import av

    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}
    with path.open("rb") as file:
        try:
            container = av.open(FileRange(file, part.start, part.end), container_options=options)
        except (av.FFmpegError, OSError, ValueError) as error:
            if part.stated.cut:
                raise AudioError(
                    f"{path} is truncated: {part.stated.cut}. None of it can be decoded.",
                    hint="Copy or download it again.",
                ) from error
            raise AudioError(
                f"{path} cannot be read as audio ({reason(error)}).",
                hint="Check that it plays in another program, or convert it to WAV or FLAC.",
            ) from error
        with container:
            yield container


def select_stream(container: Any, stream: int, path: Path) -> Any:
    """The audio stream of an index from 0; video and other streams do not count.

    Raises
    ------
    AudioError
        If there is no such stream, or its encoding is unknown.
    """
    streams = container.streams.audio
    if stream >= len(streams):
        count = f"has {len(streams)} audio streams" if streams else "has no audio stream"
        raise AudioError(
            f"{path} {count}; number {stream} was requested.",
            hint="A stem file holds mixture, drums, bass, other and vocals, numbered 0 to 4.",
        )
    chosen = streams[stream]
    if chosen.codec_context is None or not chosen.codec_context.sample_rate:
        raise AudioError(
            f"{path}: the encoding of its audio is not known.",
            hint="Convert it to WAV or FLAC.",
        )
    return chosen


def channels(stream: Any) -> int:
    """Number of channels of a stream."""
    layout = stream.codec_context.layout
    _names(layout)
    return int(layout.nb_channels)


def stated_samples(container: Any, stream: Any) -> int | None:
    """The length that the header states, in samples per channel."""
    rate = stream.codec_context.sample_rate
    if stream.duration:
        return round(float(stream.duration * stream.time_base * rate))
    return round(float(container.duration * rate / 1_000_000)) if container.duration else None


def stream_blocks(
    container: Any, stream: Any, samples: int, where: str
) -> Iterator[npt.NDArray[np.float32]]:
    """Decode a stream in blocks of at least `samples` samples, except for the last.

    Yields
    ------
    float32 (channels, samples), full scale at 1; channels in the order of `SPEAKERS`.

    Raises
    ------
    AudioError
        If the sampling rate or the channels change within the stream.
    DecodingError
        After the last valid block, if the decoder found an error.
    """
    import av

    rate, count = stream.codec_context.sample_rate, channels(stream)
    pending: list[npt.NDArray[np.float32]] = []
    held, stopped = 0, ""
    try:
        for frame in _frames(container, stream):
            audio = _samples(frame)
            if (frame.sample_rate, len(audio)) != (rate, count):
                raise AudioError(
                    f"{where} changes from {rate} Hz and {count} channels to "
                    f"{frame.sample_rate} Hz and {len(audio)}.",
                    hint="Split the file there, or convert it to one format first.",
                )
            pending.append(audio)
            held += frame.samples
            if held >= samples:
                yield np.concatenate(pending, axis=1)
                pending, held = [], 0
    except (av.FFmpegError, ValueError, OSError, DecodingError) as error:
        stopped = reason(error)
    if pending:
        yield np.concatenate(pending, axis=1)
    if stopped:
        raise DecodingError(stopped)


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Every frame; the last packet of an MP3 is checked, because FFmpeg decodes incomplete frames."""
    is_mpeg = stream.codec_context.name.startswith(("mp1", "mp2", "mp3"))
    missing = 0
    for packet in container.demux(stream):
        if is_mpeg and packet.size:
            missing = mpeg_frame_bytes(bytes(memoryview(packet)[:4])) - packet.size
        yield from packet.decode()
    if missing > 0:
        raise DecodingError("its last frame is incomplete")


def _samples(frame: Any) -> npt.NDArray[np.float32]:
    """A frame as float32 (channels, samples), in the order of `SPEAKERS`."""
    offset, scale = SCALES[frame.format.packed.name]
    audio = frame.to_ndarray()
    if frame.format.is_packed:
        audio = audio.reshape(frame.samples, -1).T
    if frame.format.packed.name != "flt":
        audio = (audio.astype(np.float64) - offset) / scale
    order = _order(_names(frame.layout))
    return np.asarray(audio[order] if order else audio, np.float32)


def _names(layout: Any) -> tuple[str, ...]:
    """The names of a layout's channels, such as ("FL", "FR").

    PyAV shares a layout's list of channels with the frame or stream that it belongs to, and both
    free it, which ends the process. So an uncommon layout (about 50 bytes) is never freed.
    """
    names = tuple(channel.name for channel in layout.channels)
    if names not in (("FC",), ("FL", "FR")):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))
    return names


def _order(names: tuple[str, ...]) -> list[int] | None:
    """The order to sort channels by; None if they are in order or their positions are unknown."""
    if len(names) < 2 or len(set(names)) < len(names) or not set(names) <= set(SPEAKERS):
        return None
    order = sorted(range(len(names)), key=lambda index: SPEAKERS.index(names[index]))
    return order if order != list(range(len(names))) else None


def reason(error: BaseException) -> str:
    """The error message of a library, in one line."""
    said = getattr(error, "strerror", None)
    if said:
        return str(said)
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
