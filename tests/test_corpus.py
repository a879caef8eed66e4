from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from benchbench.datasets.dataset import open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.errors import UnknownNameError, UsageError
from benchbench.io.audio.audio_files import read
from benchbench.plugins.catalog import Catalog

RATE = 44100
STREAMS = ("mixture", "drums", "bass", "other", "vocals")


def noise(seconds: float, seed: int, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((channels, round(seconds * RATE)))).astype(np.float32)


def write_stem_file(path: Path, streams: list[np.ndarray]) -> None:
    """A miniature of MUSDB18's stem files: five AAC streams in one MP4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        outputs = [container.add_stream("aac", rate=RATE, layout="stereo") for _ in streams]
        for output, audio in zip(outputs, streams, strict=True):
            output.bit_rate = 256000
            frame = av.AudioFrame.from_ndarray(audio, format="fltp", layout="stereo")
            frame.sample_rate = RATE
            container.mux(output.encode(frame))
            container.mux(output.encode(None))


@pytest.fixture
def musdb(tmp_path: Path) -> Path:
    root = tmp_path / "musdb18"
    for split, names in (("train", ["A - One"]), ("test", ["B - Two", "C - Three"])):
        for seed, name in enumerate(names):
            stems = [noise(0.5, seed * 10 + i) for i in range(4)]
            write_stem_file(root / split / f"{name}.stem.mp4", [np.sum(stems, axis=0), *stems])
    return root


@pytest.fixture
def musdb_hq(tmp_path: Path) -> Path:
    root = tmp_path / "musdb18hq"
    for split, name in (("train", "A - One"), ("test", "B - Two")):
        stems = {stem: noise(0.5, seed) for seed, stem in enumerate(STREAMS[1:])}
        folder = root / split / name
        folder.mkdir(parents=True)
        for stem, audio in stems.items():
            soundfile.write(folder / f"{stem}.wav", audio.T, RATE, subtype="FLOAT")
        total = np.sum(list(stems.values()), axis=0)
        soundfile.write(folder / "mixture.wav", total.T, RATE, subtype="FLOAT")
    return root


def test_musdb18_is_found_by_flag_and_by_variable(
    musdb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Catalog().dataset("musdb18")
    assert [t.name for t in open_dataset(dataset, musdb).tracks] == ["B - Two", "C - Three"]
    monkeypatch.setenv("MUSDB_PATH", str(musdb))
    assert [t.name for t in open_dataset(dataset, split="train").tracks] == ["A - One"]
    assert len(open_dataset(dataset, split="all").tracks) == 3


def test_musdb18_is_decoded_to_16_bit_in_the_right_order(musdb: Path, tmp_path: Path) -> None:
    track = open_dataset(Catalog().dataset("musdb18"), musdb).tracks[0]
    prepared = prepare(track, tmp_path / "scratch")
    for number, stem in enumerate(STREAMS):
        raw = prepared.mixture if stem == "mixture" else prepared.stems[stem]
        audio = np.asarray(raw.open())
        decoded, _ = read(musdb / "test" / "B - Two.stem.mp4", number)
        assert np.abs(audio - decoded).max() <= 0.5 / 32768 + 1e-9
        np.testing.assert_array_equal(np.rint(audio * 32768), audio * 32768)
    assert any(flag.startswith("residual:") for flag in prepared.flags)  # AAC: sum is not mixture


def test_musdb18_hq_keeps_its_own_mixture(musdb_hq: Path, tmp_path: Path) -> None:
    data_set = open_dataset(Catalog().dataset("musdb18-hq"), musdb_hq)
    assert [track.name for track in data_set.tracks] == ["B - Two"]
    prepared = prepare(data_set.tracks[0], tmp_path / "scratch")
    assert prepared.flags == ()
    assert set(prepared.stems) == set(STREAMS[1:])


def test_a_folder_is_read_with_all_its_oddities(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    song = root / "song"
    song.mkdir(parents=True)
    soundfile.write(song / "vocals.flac", noise(0.5, 1).T, RATE)
    soundfile.write(song / "drums.wav", 12 * noise(0.4, 2, channels=1).T, RATE, subtype="FLOAT")
    soundfile.write(song / "mixture.wav", noise(0.5, 3).T, RATE)
    (song / "notes.txt").write_text("no audio")
    track = open_dataset(Catalog().dataset("folder"), root).tracks[0]
    prepared = prepare(track, tmp_path / "scratch")
    assert set(prepared.stems) == {"vocals", "drums"}
    names = {flag.partition(":")[0] for flag in prepared.flags}
    assert names == {"mono_stem", "unequal_lengths", "clipping", "residual"}
    drums = np.asarray(prepared.stems["drums"].open())
    assert drums.shape == (2, round(0.5 * RATE))
    assert np.abs(drums[:, round(0.4 * RATE) :]).max() == 0


def test_a_folder_with_stems_is_one_track(small_songs: Path) -> None:
    data_set = open_dataset(Catalog().dataset("folder"), small_songs / "first")
    assert [track.name for track in data_set.tracks] == ["first"]


def test_the_fingerprint_follows_the_audio(small_songs: Path) -> None:
    dataset = Catalog().dataset("folder")
    before = open_dataset(dataset, small_songs)
    soundfile.write(small_songs / "first" / "bass.wav", noise(2.0, 9).T, RATE, subtype="FLOAT")
    after = open_dataset(dataset, small_songs)
    assert before.tracks[0].fingerprint != after.tracks[0].fingerprint
    assert before.tracks[1].fingerprint == after.tracks[1].fingerprint
    assert before.version_hash != after.version_hash


def test_what_is_not_there_is_said_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUSDB_PATH", raising=False)
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    dataset = Catalog().dataset("musdb18")
    with pytest.raises(
        UsageError,
        match=r"(?s)not found on this machine.*bench install musdb18.*--root.*MUSDB_PATH",
    ):
        open_dataset(dataset)
    with pytest.raises(UsageError, match="holds no tracks"):
        open_dataset(dataset, tmp_path)
    with pytest.raises(UnknownNameError, match=r"split 'tset'.*\n.*'test'"):
        open_dataset(dataset, tmp_path, split="tset")


def test_tracks_are_chosen_by_name_or_number(small_songs: Path) -> None:
    dataset = Catalog().dataset("folder")
    assert [t.name for t in open_dataset(dataset, small_songs, limit=1).tracks] == ["first"]
    assert [t.name for t in open_dataset(dataset, small_songs, names=["second"]).tracks] == [
        "second"
    ]
    with pytest.raises(UnknownNameError, match="Did you mean 'second'"):
        open_dataset(dataset, small_songs, names=["secnd"])
