"""Find the parts of a file that was joined from several files: chained Ogg, FLAC or MP3.

Most decoders stop after the first part, or decode the next part's header as audio.
benchbench decodes each part as a separate file.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchbench.io.audio.containers import id3_size, mpeg_frame_bytes
from benchbench.io.audio.stated_length import Stated, stated_length

__all__ = ["Part", "parts"]

FLAC_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
MP3_TAG = re.compile(rb"ID3[\x02-\x04][\x00-\x0f].[\x00-\x7f]{4}|Xing|Info|VBRI", re.DOTALL)
XING_OFFSETS = (36, 21, 13)
"""Offsets of a Xing tag in an MP3 frame: MPEG 1; mono or MPEG 2; both."""
VBRI_OFFSET = 36
BEGIN, END = 2, 4
"""Flags of an Ogg page."""


@dataclass(frozen=True, slots=True)
class Part:
    """A range of bytes that is a separate audio file, and the length that its header states.

    `states_length`: whether the length that a decoder derives from the header was stated by the
    writer, not estimated. `is_vorbis`: whether the part is a single Vorbis stream in Ogg.
    """

    start: int
    end: int
    stated: Stated
    states_length: bool
    is_vorbis: bool = False


def parts(path: Path, container: str) -> list[Part]:
    """The parts of a file; most files have one."""
    size = path.stat().st_size
    if container not in ("flac", "ogg", "mp3"):
        return [Part(0, size, stated_length(path, container), container in TIMED)]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if container == "flac":
            return list(_flac(data))
        if container == "ogg":
            return list(_ogg(data))
        return list(_mp3(data))


TIMED = frozenset({"matroska", "mp4", "wavpack", "tta", "ape", "flv", "w64", "aiff", "caf"})
"""Containers whose headers state a duration."""


def _between(starts: list[int], end: int) -> Iterator[tuple[int, int]]:
    return zip(starts, [*starts[1:], end], strict=True)


def _flac(data: mmap.mmap) -> Iterator[Part]:
    """Each STREAMINFO begins a part; it states the samples, or 0 where the writer streamed."""
    starts = [match.start() for match in FLAC_START.finditer(data)]
    if not starts:
        yield Part(0, len(data), Stated(cut="its header is incomplete"), False)
        return
    for number, (start, end) in enumerate(_between(starts, len(data))):
        info = data[start + 18 : start + 26]
        samples = int.from_bytes(info, "big") & (1 << 36) - 1 if len(info) == 8 else 0
        yield Part(start if number else 0, end, Stated(samples or None), False)


def _ogg(data: mmap.mmap) -> Iterator[Part]:
    """A page that begins a stream, after another stream has ended or continued, begins a part."""
    starts, ended, open_streams, cut = [0], [], set[int](), ""
    in_head, place = True, 0
    while place < len(data):
        header = data[place : place + 27]
        if header[:4] != b"OggS":
            following = data.find(b"OggS", place + 1)
            if following < 0:
                break
            place = following
            continue
        table = data[place + 27 : place + 27 + header[26]] if len(header) == 27 else b""
        following = place + 27 + len(table) + sum(table)
        if len(header) < 27 or len(table) < header[26] or following > len(data):
            cut = "its last Ogg page is incomplete"
            break
        flags, serial = header[5], struct.unpack_from("<I", header, 14)[0]
        if flags & BEGIN:
            if not in_head:
                starts.append(place)
                ended.append(not open_streams)
                open_streams = set()
            open_streams.add(serial)
        in_head = bool(flags & BEGIN)
        if flags & END:
            open_streams.discard(serial)
        place = following
    ended.append(not open_streams)
    for (start, end), whole in zip(_between(starts, len(data)), ended, strict=True):
        last = end == len(data)
        why = (last and cut) or ("" if whole else "its Ogg stream has no end")
        yield Part(start, end, Stated(None, why), False, _is_vorbis(data, start))


def _is_vorbis(data: mmap.mmap, start: int) -> bool:
    """Whether a Vorbis stream begins there, without another stream in parallel."""
    sound = start + 27 + data[start + 26] if start + 26 < len(data) else len(data)
    second = data[sound + 30 : sound + 36]
    return data[sound : sound + 7] == b"\x01vorbis" and len(second) == 6 and not second[5] & BEGIN


def _mp3(data: mmap.mmap) -> Iterator[Part]:
    """An ID3 tag, or a frame that holds a Xing, Info or VBRI tag, begins a part.

    `head_end` is the position at which the tags of the current part end and its audio begins.
    """
    starts, states, head_end = [0], [False], 0
    for match in MP3_TAG.finditer(data):
        if match.start() < head_end:
            continue  # a picture or text inside a tag
        if match[0][:3] == b"ID3":
            start, end, states_length = match.start(), match.start() + id3_size(match[0]), False
            if start and not (_is_frame(data, end) or data[end : end + 3] == b"ID3"):
                continue
        else:
            frame = _tagged_frame(data, match)
            if frame is None:
                continue
            start, end, states_length = frame
        if start == head_end or not _is_frame(data, head_end):
            states[-1] |= states_length
        else:
            starts.append(start)
            states.append(states_length)
        head_end = end
    for (start, end), states_length in zip(_between(starts, len(data)), states, strict=True):
        yield Part(start, end, Stated(), states_length)


def _is_frame(data: mmap.mmap, place: int) -> bool:
    return mpeg_frame_bytes(data[place : place + 4]) > 0


def _tagged_frame(data: mmap.mmap, match: re.Match[bytes]) -> tuple[int, int, bool] | None:
    """Where the frame that holds a tag begins and ends, and whether the tag states a length."""
    is_vbri = match[0] == b"VBRI"
    for offset in (VBRI_OFFSET,) if is_vbri else XING_OFFSETS:
        start = match.start() - offset
        length = mpeg_frame_bytes(data[start : start + 4]) if start >= 0 else 0
        if length > offset + 8:
            return start, start + length, is_vbri or bool(data[match.start() + 7] & 1)
    return None
