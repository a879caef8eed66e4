"""Recognise audio files by their first bytes, and audio file names by their suffix."""

from __future__ import annotations

from pathlib import Path

__all__ = ["AUDIO_ENDINGS", "is_hidden", "looks_like_audio", "name_without_ending", "sniff"]

AUDIO_ENDINGS = frozenset({
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".ogv", ".ogx", ".opus",
    ".spx", ".mp3", ".mp2", ".mp1", ".mpa", ".mpga", ".aif", ".aiff", ".aifc", ".caf", ".au",
    ".snd", ".m4a", ".m4b", ".m4v", ".mp4", ".mov", ".qt", ".3gp", ".aac", ".adts", ".ac3",
    ".eac3", ".dts", ".wma", ".wmv", ".asf", ".webm", ".mka", ".mkv", ".wv", ".tta", ".ape",
    ".amr", ".avi", ".flv", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".mpc", ".dsf", ".voc",
})  # fmt: skip
"""Suffixes of audio files in a search of a folder, in lower case."""

UNFINISHED = frozenset(
    {".part", ".tmp", ".temp", ".bak", ".old", ".orig", ".crdownload", ".partial"}
)
"""Suffixes of unfinished and backup copies, which are never audio."""

SYSTEM_NAMES = frozenset(
    {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "system volume information",
     "lost+found", "@eadir", "#recycle"}
)  # fmt: skip
"""Names of files that operating systems and servers create in folders, in lower case."""

HEAD = 4096
"""Number of bytes at the beginning of a file that are inspected."""

MAGIC = (
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", "w64"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "asf"),
    (0, b"wvpk", "wavpack"),
    (0, b"TTA1", "tta"),
    (0, b"MAC ", "ape"),
    (0, b"\x0b\x77", "ac3"),
    (0, b"\x7f\xfe\x80\x01", "dts"),
    (0, b"FLV\x01", "flv"),
    (0, b"#!AMR", "amr"),
    (0, b"MPCK", "musepack"),
    (0, b"MP+", "musepack"),
    (0, b"DSD ", "dsf"),
    (0, b"Creative Voice File", "voc"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
)
"""Offset and bytes that identify each container."""

FORMS = {
    (b"RIFF", b"WAVE"): "wav",
    (b"RF64", b"WAVE"): "wav",
    (b"BW64", b"WAVE"): "wav",
    (b"RIFF", b"AVI "): "avi",
    (b"FORM", b"AIFF"): "aiff",
    (b"FORM", b"AIFC"): "aiff",
}


def sniff(path: Path) -> str:
    """The container of a file, such as ``wav``, ``flac``, ``mp3``; "" if it is unknown.

    Only the content counts, not the file's name. Tags before the audio (ID3) are skipped.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head[:3] == b"ID3" and len(head) >= 10:
            file.seek(id3_size(head))
            return _container(file.read(HEAD)) or "mp3"
    return _container(head)


def id3_size(head: bytes) -> int:
    """Size in bytes of the ID3v2 tag at the beginning of `head`, its header included."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + (20 if head[5] & 0x10 else 10)


def _container(head: bytes) -> str:
    form = FORMS.get((head[:4], head[8:12]))
    if form:
        return form
    for place, magic, container in MAGIC:
        if head[place : place + len(magic)] == magic:
            return container
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return "mpegts"
    return _elementary(head)


def _elementary(head: bytes) -> str:
    """Recognise streams without a container by two consecutive valid frame headers."""
    if len(head) < 7 or head[0] != 0xFF:
        return ""
    if head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        follows = head[length : length + 2]
        valid = length >= 7 and (head[2] >> 2) & 15 < 13
        return "adts" if valid and (not follows or follows[0] == 0xFF) else ""
    length = mpeg_frame_bytes(head)
    follows = head[length : length + 2]
    return "mp3" if length and (not follows or follows[0] == 0xFF) else ""


BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits per second by MPEG version (2 also for 2.5) and layer."""

RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Sampling rates by the two version bits of a header."""


def mpeg_frame_bytes(header: bytes) -> int:
    """Length in bytes of the MPEG audio frame whose header comes first; 0: no such header."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return 0
    bits = BITRATES[1 if version == 3 else 2, layer][bitrate - 1] * 1000
    hertz, padding = RATES[version][rate], header[2] >> 1 & 1
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    slots = 72 if layer == 3 and version != 3 else 144
    return slots * bits // hertz + padding


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or belongs to an operating system."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def name_without_ending(name: str) -> str:
    """A file's name without the suffix of an audio file; ``...wav`` is returned unchanged."""
    stem, dot, ending = name.rpartition(".")
    known = f".{ending.lower()}" in AUDIO_ENDINGS
    return stem if dot and known and stem.strip(".") else name


def looks_like_audio(path: Path) -> bool:
    """Whether a file counts as audio in a search: by its suffix, else by its content.

    Hidden files, those of the operating system, and unfinished copies do not count.
    """
    ending = path.suffix.lower()
    if is_hidden(path.name) or ending in UNFINISHED or path.name.endswith("~"):
        return False
    if ending in AUDIO_ENDINGS:
        return path.is_file()
    try:
        return path.is_file() and bool(sniff(path))
    except OSError:
        return False
