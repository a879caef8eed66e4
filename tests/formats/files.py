"""The files of the table: containers x codecs, written by an ffmpeg program, and ways to damage them."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

__all__ = ["DEFECTS", "KINDS", "Kind", "write"]

STEREO, MONO, SURROUND, SPEECH = "stereo", "mono", "5.1", "16 kHz"


@dataclass(frozen=True)
class Kind:
    """A container with a codec.

    `states_length`: whether the header or the container tells that an end is missing.
    """

    name: str
    options: str
    source: str = STEREO
    states_length: bool = True

    @property
    def ending(self) -> str:
        return self.name.rpartition(".")[2]


KINDS = (
    Kind("s16.wav", "-c:a pcm_s16le"),
    Kind("u8.wav", "-c:a pcm_u8"),
    Kind("s24.wav", "-c:a pcm_s24le"),
    Kind("s32.wav", "-c:a pcm_s32le"),
    Kind("f32.wav", "-c:a pcm_f32le"),
    Kind("f64.wav", "-c:a pcm_f64le"),
    Kind("mulaw.wav", "-c:a pcm_mulaw"),
    Kind("adpcm.wav", "-c:a adpcm_ms"),
    Kind("mp3.wav", "-c:a libmp3lame"),
    Kind("mono.wav", "-c:a pcm_s16le", MONO),
    Kind("six.wav", "-c:a pcm_s16le", SURROUND),
    Kind("rf64.wav", "-c:a pcm_f32le -rf64 always"),
    Kind("s16.w64", "-c:a pcm_s16le"),
    Kind("f32.w64", "-c:a pcm_f32le"),
    Kind("s16.aiff", "-c:a pcm_s16be"),
    Kind("s24.aif", "-c:a pcm_s24be"),
    Kind("s16.caf", "-c:a pcm_s16le"),
    Kind("f32.caf", "-c:a pcm_f32le"),
    Kind("six.caf", "-c:a pcm_s16le", SURROUND),
    Kind("alac.caf", "-c:a alac"),
    Kind("s16.au", "-c:a pcm_s16be"),
    Kind("mulaw.au", "-c:a pcm_mulaw"),
    Kind("x.voc", "-c:a pcm_s16le", MONO, states_length=False),
    Kind("x.flac", "-c:a flac"),
    Kind("s24.flac", "-c:a flac -sample_fmt s32"),
    Kind("six.flac", "-c:a flac", SURROUND),
    Kind("flac.oga", "-c:a flac"),
    Kind("flac.mka", "-c:a flac"),
    Kind("flac.mp4", "-c:a flac -strict -2"),
    Kind("x.wv", "-c:a wavpack"),
    Kind("x.tta", "-c:a tta"),
    Kind("alac.m4a", "-c:a alac"),
    Kind("s16.mov", "-c:a pcm_s16be"),
    Kind("s16.mkv", "-c:a pcm_s16le"),
    Kind("vbr.mp3", "-q:a 4"),
    Kind("cbr.mp3", "-b:a 128k"),
    Kind("joint.mp3", "-b:a 96k -joint_stereo 1"),
    Kind("noxing.mp3", "-q:a 4 -write_xing 0", states_length=False),
    Kind("notags.mp3", "-b:a 160k -write_xing 0 -id3v2_version 0", states_length=False),
    Kind("mono.mp3", "-q:a 5", MONO),
    Kind("low.mp3", "-b:a 32k", SPEECH),
    Kind("mp3.mkv", "-c:a libmp3lame"),
    Kind("mp3.avi", "-c:a libmp3lame"),
    Kind("mp3.mp4", "-c:a libmp3lame"),
    Kind("mp3.flv", "-c:a libmp3lame"),
    Kind("x.mp2", "-b:a 192k"),
    Kind("mp2.ts", "-c:a mp2", states_length=False),
    Kind("mp2.mpg", "-c:a mp2 -f mpeg", states_length=False),
    Kind("adts.aac", "-c:a aac", states_length=False),
    Kind("mono.aac", "-c:a aac", MONO, states_length=False),
    Kind("aac.m4a", "-c:a aac"),
    Kind("fast.m4a", "-c:a aac -movflags faststart"),
    Kind("pieces.mp4", "-c:a aac -movflags frag_keyframe+empty_moov -frag_duration 500000"),
    Kind("six.m4a", "-c:a aac", SURROUND),
    Kind("aac.mkv", "-c:a aac"),
    Kind("aac.mov", "-c:a aac"),
    Kind("aac.ts", "-c:a aac", states_length=False),
    Kind("aac.3gp", "-c:a aac"),
    Kind("x.ogg", "-c:a libvorbis"),
    Kind("mono.ogg", "-c:a libvorbis", MONO),
    Kind("six.ogg", "-c:a libvorbis", SURROUND),
    Kind("vorbis.mka", "-c:a libvorbis"),
    Kind("vorbis.webm", "-c:a libvorbis"),
    Kind("x.opus", "-c:a libopus"),
    Kind("six.opus", "-c:a libopus -mapping_family 1", SURROUND),
    Kind("opus.webm", "-c:a libopus"),
    Kind("opus.mkv", "-c:a libopus"),
    Kind("x.ac3", "-c:a ac3", states_length=False),
    Kind("six.ac3", "-c:a ac3", SURROUND, states_length=False),
    Kind("x.eac3", "-c:a eac3", states_length=False),
    Kind("v1.wma", "-c:a wmav1"),
    Kind("v2.wma", "-c:a wmav2"),
)


def write(kind: Kind, folder: Path) -> Path:
    """The file of a kind, made once."""
    path = folder / kind.name
    if not path.exists():
        source = _source(kind.source, folder)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", str(source), *kind.options.split(), str(path)],
            check=True,
        )
    return path


def _source(kind: str, folder: Path) -> Path:
    """Sound that never repeats, the first half quiet."""
    path = folder / f"source {kind}.wav"
    if not path.exists():
        channels = {STEREO: 2, MONO: 1, SURROUND: 6, SPEECH: 1}[kind]
        rate = {SURROUND: 48000, SPEECH: 16000}.get(kind, 44100)
        time = np.arange(4 * rate) / rate
        noise = np.random.default_rng(0).standard_normal((channels, len(time)))
        sweeps = [np.sin(2 * np.pi * (200 + 90 * c + 150 * time) * time) for c in range(channels)]
        sound = (0.4 * np.array(sweeps) + 0.03 * noise) * np.where(time < 2, 0.05, 1.0)
        soundfile.write(path, sound.T, rate, subtype="PCM_24", format="WAVEX")
        if channels == 6:
            _set_mask(path, 0x3F)
    return path


def _set_mask(path: Path, mask: int) -> None:
    content = bytearray(path.read_bytes())
    place = content.index(b"fmt ") + 8 + 20
    content[place : place + 4] = struct.pack("<I", mask)
    path.write_bytes(content)


def _wav_sizes(riff: int, data: int) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        place = content.index(b"data")
        head = content[:4] + struct.pack("<I", riff) + content[8 : place + 4]
        return head + struct.pack("<I", data) + content[place + 8 :]

    return change


def _flac_without_length(content: bytes) -> bytes:
    return content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]


def _tagged(content: bytes) -> bytes:
    """With an ID3 tag of 2000 bytes before, and one of 128 behind."""
    return b"ID3\x04\x00\x00\x00\x00\x0f\x50" + bytes(2000) + content + b"TAG" + bytes(125)


DEFECTS: dict[str, tuple[tuple[str, ...], Callable[[bytes], bytes]]] = {
    "joined": (
        ("x.flac", "x.ogg", "mono.ogg", "x.opus", "flac.oga", "vbr.mp3", "cbr.mp3", "noxing.mp3",
         "low.mp3"),
        lambda content: content + content,
    ),
    "size 0": (("s16.wav", "f32.wav", "six.wav"), _wav_sizes(0, 0)),
    "size 7FFFFFFF": (("s16.wav", "s24.wav"), _wav_sizes(0x7FFFFFFF, 0x7FFFFFFF)),
    "size 80000000": (("s16.wav", "f64.wav"), _wav_sizes(0x80000024, 0x80000000)),
    "size FFFFFFFF": (("s16.wav", "mulaw.wav"), _wav_sizes(0xFFFFFFFF, 0xFFFFFFFF)),
    "no length": (("x.flac", "s24.flac", "six.flac"), _flac_without_length),
    "tags": (("vbr.mp3", "noxing.mp3", "notags.mp3", "adts.aac", "x.flac"), _tagged),
}  # fmt: skip
"""Name of a damage -> the files that it is applied to, and the function."""
