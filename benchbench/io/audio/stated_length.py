"""The length that the header of an audio file states, to detect truncated files.

Most decoders read a truncated file to its end without an error.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

__all__ = ["Stated", "WavHeader", "stated_length", "wav_header"]

W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
W64_FORMAT = b"fmt \xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
ASF_PROPERTIES = b"\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\x00\xc0\x0c\x20\x53\x65"
SEGMENT = b"\x18\x53\x80\x67"
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
SLACK = 4096
"""Tolerance for the placeholder of recorders: the largest number minus a header's length."""


@dataclass(frozen=True, slots=True)
class Stated:
    """The length that a header states.

    Parameters
    ----------
    samples
        Samples in each channel; None: not stated, or only as time.
    cut
        The evidence that the file's end is missing; "" if there is none.
    seconds
        The stated duration, if it is stated as time.
    """

    samples: int | None = None
    cut: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class WavHeader:
    """A WAV, RF64 or BW64 header.

    `data_bytes` is None if the writer left a placeholder: the audio then continues to the end of
    the file. `follower` holds the first bytes after the audio.
    """

    encoding: int
    frame_bytes: int
    data_start: int
    data_bytes: int | None
    held_bytes: int
    follower: bytes

    @property
    def is_plain(self) -> bool:
        """Whether the file is complete, of known length, and holds PCM or floats."""
        return (
            self.encoding in (PCM, FLOAT)
            and self.frame_bytes > 0
            and self.data_bytes is not None
            and self.data_bytes <= self.held_bytes
        )


def stated_length(path: Path, container: str) -> Stated:
    """The length that a file's header states, if its container has one."""
    reader = READERS.get(container)
    if reader is None:
        return Stated()
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            return reader(file, size)
        except struct.error:
            return Stated(cut="its header is incomplete")


def wav_header(file: IO[bytes], size: int) -> WavHeader | None:
    """The header of a WAV file of `size` bytes; None if it has no data chunk."""
    form, riff_bytes = struct.unpack("<4sI", file.read(8))
    file.seek(12)
    encoding = frame_bytes = 0
    long_bytes: int | None = None
    while len(chunk := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", chunk)
        start = file.tell()
        if name == b"ds64":
            content = file.read(16)
            long_bytes = struct.unpack("<QQ", content)[1] if len(content) == 16 else None
        elif name == b"fmt ":
            content = file.read(min(length, 40))
            if len(content) < 14:
                return None
            encoding, frame_bytes = struct.unpack_from("<H10xH", content)
            if encoding == EXTENSIBLE and len(content) >= 26:
                encoding = struct.unpack_from("<H", content, 24)[0]
        elif name == b"data":
            held = size - start
            data = _data_bytes(length, riff_bytes, size, long_bytes if form != b"RIFF" else None)
            file.seek(min(start + (data or held) + (data or 0) % 2, size))
            return WavHeader(encoding, frame_bytes, start, data, held, file.read(12))
        file.seek(min(start + length + length % 2, size))
    return None


def _data_bytes(length: int, riff_bytes: int, size: int, long_bytes: int | None) -> int | None:
    """The stated bytes of audio, or None for the placeholder of a recorder."""
    if long_bytes is not None and length == 0xFFFFFFFF:
        return long_bytes or None
    if length == 0:
        return 0 if riff_bytes + 8 == size else None
    for largest in (0x7FFFFFFF, 0xFFFFFFFF):
        if largest - SLACK < length <= largest:
            return None
    return None if 0x80000000 <= length < 0x80000000 + 64 else length


def _wav(file: IO[bytes], size: int) -> Stated:
    header = wav_header(file, size)
    if header is None:
        return Stated(cut="it has no chunk of audio")
    if header.data_bytes is None:
        return Stated()
    return _bytes(header.data_bytes, header.held_bytes, header.frame_bytes
                  if header.encoding in (PCM, FLOAT) else 0)  # fmt: skip


def _bytes(stated: int, held: int, frame_bytes: int) -> Stated:
    samples = stated // frame_bytes if frame_bytes else None
    if stated <= held:
        return Stated(samples)
    return Stated(samples, f"{stated} bytes of audio are stated and {max(held, 0)} are there")


def _w64(file: IO[bytes], size: int) -> Stated:
    file.seek(40)
    frame_bytes = 0
    while len(chunk := file.read(24)) == 24:
        name, length = struct.unpack("<16sQ", chunk)
        start = file.tell()
        if name == W64_FORMAT:
            encoding, frame_bytes = struct.unpack("<H10xH", file.read(14))
            frame_bytes = frame_bytes if encoding in (PCM, FLOAT, EXTENSIBLE) else 0
        elif name == W64_DATA:
            if length <= 24 or length >= 1 << 62:
                return Stated()
            return _bytes(length - 24, size - start, frame_bytes)
        file.seek(min(start - 24 + (max(length, 24) + 7) // 8 * 8, size))
    return Stated(cut="it has no chunk of audio")


def _aiff(file: IO[bytes], size: int) -> Stated:
    samples: int | None = None
    for name, length, start in _chunks(file, size, 12, ">4sI"):
        if name == b"COMM":
            samples = struct.unpack(">2xI", file.read(6))[0]
        elif name == b"SSND":
            if samples and length > size - start:
                return Stated(samples, _bytes(length, size - start, 0).cut)
            return Stated(samples or None)
    return Stated(cut="it has no chunk of audio")


def _caf(file: IO[bytes], size: int) -> Stated:
    frame_bytes = 0
    for name, length, start in _chunks(file, size, 8, ">4sq"):
        if name == b"desc":
            kind, packet_bytes, packet_samples = struct.unpack(">8x4s4xII", file.read(24))
            frame_bytes = packet_bytes if packet_samples == 1 and kind == b"lpcm" else 0
        elif name == b"data":
            return Stated() if length < 0 else _bytes(length - 4, size - start - 4, frame_bytes)
    return Stated(cut="it has no chunk of audio")


def _chunks(
    file: IO[bytes], size: int, first: int, layout: str
) -> Iterator[tuple[bytes, int, int]]:
    """Name, length and position of each chunk; the caller may read from the position."""
    head = struct.calcsize(layout)
    file.seek(first)
    while len(chunk := file.read(head)) == head:
        name, length = struct.unpack(layout, chunk)
        start = file.tell()
        yield name, length, start
        padding = length % 2 if head == 8 else 0
        file.seek(min(start + max(length, 0) + padding, size))


def _au(file: IO[bytes], size: int) -> Stated:
    start, length, kind, _, channels = struct.unpack(">4x5I", file.read(24))
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(kind, 0)
    if length == 0xFFFFFFFF:
        return Stated()
    return _bytes(length, size - start, width * channels)


def _matroska(file: IO[bytes], size: int) -> Stated:
    """Compare the segment's size, if it is known, with the file's."""
    head = file.read(4096)
    place = head.find(SEGMENT)
    if place < 0:
        return Stated()
    width = 9 - head[place + 4].bit_length()
    coded = head[place + 4 : place + 4 + width]
    length = int.from_bytes(coded, "big") & (1 << 7 * width) - 1
    if len(coded) < width or length == (1 << 7 * width) - 1:
        return Stated()
    return Stated(None, _bytes(length, size - place - 4 - width, 0).cut)


def _mp4(file: IO[bytes], size: int) -> Stated:
    """Whether the last box ends where the file does."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = struct.unpack(">Q", file.read(8))[0]
        elif length == 0:
            return Stated()
        if place + length > size and name.isalnum():
            box = name.decode("latin-1")
            return Stated(None, f"its box {box!r} states {length} bytes, {size - place} are there")
        if not name.isalnum():
            return Stated()  # the remaining bytes are not a box
        place += max(length, 8)
    return Stated()


def _asf(file: IO[bytes], size: int) -> Stated:
    """The file properties: the file's size, and the duration with its preroll."""
    head = file.read(8192)
    place = head.find(ASF_PROPERTIES)
    if place < 0:
        return Stated()
    total, duration, preroll, flags = struct.unpack_from("<40xQ16xQ8xQI", head, place)
    if flags & 1:
        return Stated()  # a broadcast states no size
    return Stated(None, _bytes(total, size, 0).cut, duration / 1e7 - preroll / 1e3)


def _avi(file: IO[bytes], size: int) -> Stated:
    length = struct.unpack("<4xI", file.read(8))[0]
    return Stated(None, _bytes(length, size - 8, 0).cut)


READERS: dict[str, Callable[[IO[bytes], int], Stated]] = {
    "wav": _wav,
    "w64": _w64,
    "aiff": _aiff,
    "caf": _caf,
    "au": _au,
    "matroska": _matroska,
    "mp4": _mp4,
    "asf": _asf,
    "avi": _avi,
}
