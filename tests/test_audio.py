from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from benchbench.errors import AudioError, OutputError
from benchbench.io.audio import audio_files as audio

RATE = 44100


@pytest.fixture
def sound() -> np.ndarray:
    time = np.arange(RATE) / RATE
    return (0.3 * np.sin(2 * np.pi * np.array([[440.0], [660.0]]) * time)).astype(np.float32)


def write_m4a(path: Path, sound: np.ndarray, streams: int = 1) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        outputs = [container.add_stream("aac", rate=RATE, layout="stereo") for _ in range(streams)]
        for number, output in enumerate(outputs):
            output.bit_rate = 256000
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound / (number + 1)), format="fltp", layout="stereo"
            )
            frame.sample_rate = RATE
            container.mux(output.encode(frame))
            container.mux(output.encode(None))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_reads_what_libsndfile_wrote(tmp_path: Path, sound: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"sound{suffix}"
    soundfile.write(path, sound.T, RATE)
    found, rate = audio.read(path)
    assert rate == RATE
    assert found.dtype == np.float32
    assert found.shape[0] == 2
    assert abs(found.shape[1] - RATE) < 3000
    inner = slice(5000, 35000)
    difference = np.abs(found[:, inner] - sound[:, inner]).max()
    assert difference < (1e-4 if suffix in (".wav", ".flac") else 0.05)


def test_reads_each_stream_of_an_mp4(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "song.stem.mp4"
    write_m4a(path, sound, streams=3)
    levels = [np.abs(audio.read(path, stream)[0][:, 5000:35000]).max() for stream in range(3)]
    np.testing.assert_allclose(levels, [0.3, 0.15, 0.1], rtol=0.1)
    with pytest.raises(AudioError, match="has 3 audio streams; number 3"):
        audio.read(path, 3)


def test_float_wav_comes_back_bit_for_bit(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "sound.wav"
    audio.write_wav(path, sound * 3, RATE)
    found, _ = audio.read(path)
    np.testing.assert_array_equal(found, sound * 3)
    assert soundfile.info(path).subtype == "FLOAT"


def test_flac_clips_what_exceeds_full_scale(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "sound.flac"
    audio.write_flac(path, sound * 10, RATE)
    found, _ = audio.read(path)
    assert 0.999 < found.max() <= 1.0


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".m4a"])
def test_truncated_file_is_an_error(tmp_path: Path, sound: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"sound{suffix}"
    if suffix == ".m4a":
        with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
            output = container.add_stream("aac", rate=RATE, layout="stereo")
            frame = av.AudioFrame.from_ndarray(np.tile(sound, 4), format="fltp", layout="stereo")
            frame.sample_rate = RATE
            container.mux(output.encode(frame))
            container.mux(output.encode(None))
    else:
        soundfile.write(path, sound.T, RATE)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match=r"truncated|cannot be read"):
        audio.read(path)


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a"])
def test_what_is_no_audio_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_text("this is not audio " * 20)
    with pytest.raises(AudioError, match="cannot be read"):
        audio.read(path)


def test_missing_and_empty_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no file"):
        audio.read(tmp_path / "nowhere.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AudioError, match="is empty"):
        audio.read(tmp_path / "empty.wav")


def test_nan_is_refused_with_its_place(tmp_path: Path, sound: np.ndarray) -> None:
    sound[1, 777] = np.nan
    soundfile.write(tmp_path / "bad.wav", sound.T, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="channel 1, sample 777"):
        audio.read(tmp_path / "bad.wav")


def test_quantised_equals_a_trip_through_a_16_bit_file(tmp_path: Path, sound: np.ndarray) -> None:
    soundfile.write(tmp_path / "short.wav", sound.T, RATE, subtype="PCM_16")
    stored, _ = audio.read(tmp_path / "short.wav")
    assert np.abs(audio.quantised(sound) - stored).max() <= 1 / 32768
    np.testing.assert_array_equal(audio.quantised(stored), stored)


def test_resampling_there_and_back_keeps_length_and_sound(sound: np.ndarray) -> None:
    there = audio.resample(sound, RATE, 48000)
    back = audio.resample(there, 48000, RATE, samples=RATE)
    assert back.shape == sound.shape
    assert np.abs(back - sound)[:, 2000:-2000].max() < 1e-3


def test_no_permission_is_one_clear_error(tmp_path: Path, sound: np.ndarray) -> None:
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(OutputError, match="Cannot write"):
        audio.write_wav(blocker / "sound.wav", sound, RATE)
