"""Unusual audio files: any container, joined, truncated, of unknown length.

The files are made here by PyAV. `tests/formats` holds a larger table against an ffmpeg program.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from benchbench.errors import AudioError
from benchbench.io.audio import audio_files
from benchbench.io.audio.containers import looks_like_audio, name_without_ending
from benchbench.io.audio.decoding import BLOCK, blocks, info

RATE = 44100


def sweep(seconds: float = 3.0, channels: int = 2, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Sound that never repeats, the first half quiet; float32 (channels, samples)."""
    time = np.arange(round(seconds * rate)) / rate
    phases = [2 * np.pi * (300 + 200 * (c + seed) + 150 * time) * time for c in range(channels)]
    audio = 0.4 * np.sin(phases) * np.where(time < seconds / 2, 0.05, 1.0)
    return audio.astype(np.float32)


def encode(
    path: Path,
    audio: np.ndarray,
    codec: str,
    container: str,
    rate: int = RATE,
    layout: str | None = None,
    **options: str,
) -> int:
    """Write a file with PyAV; the number of packets."""
    if codec == "libvorbis":  # PyAV can read it only
        soundfile.write(path, audio.T, rate, format="OGG", subtype="VORBIS")
        return 0
    packets = 0
    with av.open(str(path), "w", format=container, container_options=options) as output:
        layout = layout or {1: "mono", 2: "stereo"}[audio.shape[0]]
        stream = output.add_stream(codec, rate=rate, layout=layout)
        wanted = stream.codec_context.format
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(audio), format="fltp", layout=layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler(format=wanted, layout=layout, rate=rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            for packet in stream.encode(part):
                packets += 1
                output.mux(packet)
        for packet in stream.encode(None):
            packets += 1
            output.mux(packet)
    return packets


def read(path: Path) -> np.ndarray:
    return np.concatenate(list(blocks(path)), axis=1)


def snr_db(found: np.ndarray, expected: np.ndarray, delay: int = 0) -> float:
    """How well a decoded file follows its sound, in both halves: the worse one counts."""
    samples = min(found.shape[1] - delay, expected.shape[1])
    halves = []
    for part in (slice(2000, samples // 2), slice(samples // 2, samples - 2000)):
        heard, true = found[:, delay:][:, part], expected[:, part]
        halves.append(10 * np.log10(np.sum(true**2) / np.sum((heard - true) ** 2)))
    return min(halves)


def test_an_mp3_without_a_header_is_read_whole(tmp_path: Path) -> None:
    path, sound = tmp_path / "song.mp3", sweep(12.0)
    packets = encode(path, sound, "libmp3lame", "mp3", write_xing="0", id3v2_version="0")
    found = read(path)
    assert found.shape == (2, 1152 * packets)
    assert snr_db(found, sound, delay=1105) > 10
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match="how many there were is not known"):
        read(path)
    half = np.concatenate(list(blocks(path, on_truncated=lambda _: None)), axis=1)
    assert 0.25 * found.shape[1] < half.shape[1] < 0.75 * found.shape[1]
    np.testing.assert_array_equal(half[:, :-1152], found[:, : half.shape[1] - 1152])


def test_an_mp3_of_less_than_its_header_promises_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    encode(path, sweep(3.0), "libmp3lame", "mp3")
    assert read(path).shape[1] == 3 * RATE
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(AudioError, match=r"\d+ samples .* are there, 132300 \(3.00 s\) were"):
        read(path)


@pytest.mark.parametrize(
    ("codec", "container", "name"),
    [
        ("aac", "adts", "a.mp3"),
        ("aac", "mp4", "a.wav"),
        ("libopus", "webm", "a.mp3"),
        ("flac", "flac", "a"),
        ("pcm_s16le", "wav", "A.FLAC"),
        ("libmp3lame", "mp3", "a.wav"),
        ("pcm_s16le", "caf", "a.ogg"),
        ("aac", "matroska", "vocals.v2"),
    ],
)
def test_the_content_decides_and_not_the_name(
    codec: str, container: str, name: str, tmp_path: Path
) -> None:
    rate = 48000 if codec == "libopus" else RATE
    path, sound = tmp_path / name, sweep(2.0, rate=rate)
    encode(path, sound, codec, container, rate=rate)
    assert looks_like_audio(path)
    assert (info(path).sample_rate, info(path).channels) == (rate, 2)
    found = read(path)
    assert abs(found.shape[1] - sound.shape[1]) < 3000
    assert max(snr_db(found, sound, delay) for delay in (0, 1024)) > 10


@pytest.mark.parametrize("content", [b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", b"<svg></svg>" * 50,
                                     b"ffconcat version 1.0\nfile /etc/hostname\n"])  # fmt: skip
def test_a_file_that_leads_elsewhere_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "list.mp3"
    path.write_bytes(content)
    with pytest.raises(AudioError, match="cannot be read as audio"):
        read(path)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFF000])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_a_wav_whose_recorder_was_cut_off_is_read_to_its_end(
    size: int, subtype: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sweep(1.0).T, RATE, subtype=subtype)
    whole, content = read(path), bytearray(path.read_bytes())
    place = content.index(b"data")
    content[4:8] = struct.pack("<I", min(size + 36, 0xFFFFFFFF))
    content[place + 4 : place + 8] = struct.pack("<I", size)
    path.write_bytes(content)
    np.testing.assert_array_equal(read(path), whole)


def test_a_wav_of_no_samples_holds_none_though_tags_follow(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((0, 2)), RATE)
    tags = b"LIST" + struct.pack("<I", 1000) + bytes(1000)
    content = bytearray(path.read_bytes()) + tags
    content[4:8] = struct.pack("<I", len(content) - 8)
    path.write_bytes(content)
    with pytest.raises(AudioError, match="holds no samples"):
        audio_files.read(path)


def test_a_flac_of_unknown_length_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, sweep(1.0).T, RATE)
    whole, content = read(path), bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    np.testing.assert_array_equal(read(path), whole)


@pytest.mark.parametrize(
    ("codec", "container"),
    [("flac", "flac"), ("libvorbis", "ogg"), ("libopus", "ogg"), ("flac", "ogg"),
     ("libmp3lame", "mp3")],
)  # fmt: skip
def test_joined_files_give_all_their_parts(codec: str, container: str, tmp_path: Path) -> None:
    rate = 48000
    paths = [tmp_path / f"{number}" for number in range(3)]
    for number, path in enumerate(paths):
        encode(path, sweep(1.0 + number, rate=rate, seed=number), codec, container, rate=rate)
    joined = tmp_path / "joined"
    joined.write_bytes(b"".join(path.read_bytes() for path in paths))
    expected = np.concatenate([read(path) for path in paths], axis=1)
    assert expected.shape[1] == 6 * rate
    np.testing.assert_array_equal(read(joined), expected)
    assert info(joined).samples in (None, 6 * rate)


def test_parts_of_two_formats_are_an_error(tmp_path: Path) -> None:
    first, second = tmp_path / "a.flac", tmp_path / "b.flac"
    encode(first, sweep(1.0), "flac", "flac")
    encode(second, sweep(1.0, channels=1, rate=48000), "flac", "flac", rate=48000)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    with pytest.raises(AudioError, match=r"part 2 of 2\) has 48000 Hz and 1 channels"):
        read(first)
    encode(first, sweep(1.0), "pcm_s16le", "wav")
    first.write_bytes(first.read_bytes() * 2)
    with pytest.raises(AudioError, match="holds two WAV files"):
        read(first)


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        ("pcm_s16le", "wav"),
        ("pcm_s16be", "aiff"),
        ("pcm_s16le", "w64"),
        ("pcm_s16le", "caf"),
        ("pcm_s16be", "au"),
        ("flac", "flac"),
        ("aac", "matroska"),
        ("libopus", "webm"),
        ("libvorbis", "ogg"),
        ("wavpack", "wv"),
        ("tta", "tta"),
    ],
)
def test_what_was_cut_off_is_an_error_that_counts(
    codec: str, container: str, tmp_path: Path
) -> None:
    """Where it is allowed, all that is there is read: as many samples as the error says."""
    rate = 48000
    path = tmp_path / "a"
    encode(path, sweep(4.0, rate=rate), codec, container, rate=rate)
    whole = read(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    promised = "how many there were" if container == "ogg" else r"19\d{4} \(4.0. s\) were promised"
    with pytest.raises(AudioError, match=rf"\d+ samples \(\d.\d\d s\) are there, {promised}"):
        read(path)
    told: list[str] = []
    half = np.concatenate(list(blocks(path, on_truncated=told.append)), axis=1)
    assert f"{half.shape[1]} samples" in told[0]
    assert 0.2 < half.shape[1] / whole.shape[1] < 0.9
    np.testing.assert_allclose(half, whole[:, : half.shape[1]], atol=1e-6)


def test_a_cut_rf64_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sweep(1.0).T, RATE, format="RF64", subtype="FLOAT")
    assert read(path).shape[1] == RATE
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(AudioError, match=r"31600 samples .* 44100 \(1.00 s\) were promised"):
        read(path)


@pytest.mark.parametrize(
    ("codec", "container"),
    [("pcm_s16le", "wav"), ("flac", "flac"), ("libvorbis", "ogg"), ("aac", "mp4"),
     ("ac3", "ac3"), ("pcm_s16le", "caf"), ("flac", "matroska"), ("libopus", "ogg")],
)  # fmt: skip
def test_six_channels_have_one_order_in_every_container(
    codec: str, container: str, tmp_path: Path
) -> None:
    """Front left, right, centre, low frequencies, left, right: a tone of its own in each."""
    rate, tones = 48000, np.array([300, 500, 700, 60, 1100, 1300])
    time = np.arange(2 * rate) / rate
    sound = (0.3 * np.sin(2 * np.pi * tones[:, None] * time)).astype(np.float32)
    path = tmp_path / "a"
    layout = {"ac3": "5.1(side)"}.get(codec, "5.1")
    vorbis = [0, 2, 1, 4, 5, 3]  # as its specification orders them
    written = sound[vorbis] if codec == "libvorbis" else sound
    encode(path, written, codec, container, rate=rate, layout=layout)
    found = read(path)[:, rate // 2 : rate // 2 + rate]
    heard = np.abs(np.fft.rfft(found)).argmax(axis=1)
    np.testing.assert_array_equal(heard, tones)


def test_channels_in_another_order_are_sorted(tmp_path: Path) -> None:
    """A CAF file of which the layout chunk says: centre, left, right."""
    path, sound = tmp_path / "a.caf", sweep(0.5, channels=3)
    body = (np.clip(sound.T, -1, 1) * 32767).astype(">i2").tobytes()
    description = struct.pack(">d4sIIIII", RATE, b"lpcm", 0, 6, 1, 3, 16)
    labels = struct.pack(">III", 0, 0, 3) + b"".join(
        struct.pack(">IIfff", label, 0, 0, 0, 0) for label in (3, 1, 2)
    )
    chunks = [(b"desc", description), (b"chan", labels), (b"data", bytes(4) + body)]
    path.write_bytes(
        b"caff\0\1\0\0" + b"".join(n + struct.pack(">q", len(c)) + c for n, c in chunks)
    )
    np.testing.assert_allclose(read(path), sound[[1, 2, 0]], atol=1e-4)


def test_the_first_audio_stream_of_a_video_is_read(tmp_path: Path) -> None:
    path, sound = tmp_path / "clip.mkv", sweep(1.0)
    with av.open(str(path), "w", format="matroska") as output:
        video = output.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        streams = [output.add_stream("flac", rate=RATE, layout="stereo") for _ in range(2)]
        for number, stream in enumerate(streams):
            audio = (sound.T / (1 + number) * 32767).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(audio, format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        for _ in range(25):
            output.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(video.encode(None))
    np.testing.assert_allclose(read(path), sound, atol=1e-4)


def test_a_place_counts_from_the_beginning_of_the_file(tmp_path: Path) -> None:
    sound = sweep((BLOCK + 5000) / RATE)
    sound[0, BLOCK + 4000] = np.inf
    sound[1, BLOCK + 77] = np.nan
    path = tmp_path / "a.wav"
    soundfile.write(path, sound.T, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=f"holds nan at channel 1, sample {BLOCK + 77}"):
        audio_files.read(path)


def test_long_stems_are_written_as_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sound = tmp_path / "a.wav", sweep(1.0)
    audio_files.write_wav(path, sound, RATE)
    assert path.read_bytes()[:4] == b"RIFF"
    monkeypatch.setattr(audio_files, "WAV_BYTES", sound.nbytes - 1)
    audio_files.write_wav(path, sound, RATE)
    assert path.read_bytes()[:4] == b"RF64"
    np.testing.assert_array_equal(read(path), sound)


def test_which_files_of_a_folder_are_audio(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", sweep(0.1).T, RATE)
    content = (tmp_path / "x.wav").read_bytes()
    for name in ("vocals", "BASS.WAV", "v1.2 drums", "._vocals.wav", ".hidden.wav", "x.wav.part"):
        (tmp_path / name).write_bytes(content)
    for name in ("notes.txt", "cover.jpg", "Thumbs.db", "x.wav.asd"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0 no audio" * 99)
    found = {path.name for path in tmp_path.iterdir() if looks_like_audio(path)}
    assert found == {"x.wav", "vocals", "BASS.WAV", "v1.2 drums"}
    assert [name_without_ending(name) for name in ("a.MKV", "v1.2 drums", "...wav", "a.b.flac")] == [
        "a", "v1.2 drums", "...wav", "a.b",
    ]  # fmt: skip
