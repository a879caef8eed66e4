"""Miniature copies of the data sets' layouts, with their oddities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.api.doctor import doctor
from benchbench.datasets.dataset import open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.errors import UsageError
from benchbench.io.audio.audio_files import read
from benchbench.io.audio.decoding import BLOCK
from benchbench.plugins.catalog import Catalog

RATE = 44100


def write(
    path: Path, seconds: float = 0.3, seed: int = 0, channels: int = 2, rate: int = RATE
) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    audio = (0.1 * rng.standard_normal((round(seconds * rate), channels))).clip(-1, 1)
    soundfile.write(path, audio, rate)
    return read(path)[0]


@pytest.fixture
def moisesdb(tmp_path: Path) -> Path:
    """Two songs: one with two guitars and a bleeding bass, one without drums and with a lost file."""
    root = tmp_path / "moisesdb"
    songs = {
        "song-a": {"vocals": 1, "drums": 2, "bass": 1, "guitar": 2, "piano": 1, "wind": 1},
        "song-b": {"vocals": 1, "other_keys": 1},
    }
    for number, (song, stems) in enumerate(songs.items()):
        folder = root / "moisesdb_v0.1" / song
        facts = []
        for seed, (stem, count) in enumerate(stems.items()):
            parts = [f"{song}-{stem}-{i}" for i in range(count)]
            for i, part in enumerate(parts):
                write(folder / stem / f"{part}.wav", 0.3 + 0.1 * i, 100 * number + 10 * seed + i)
            facts.append(
                {
                    "stemName": stem,
                    "tracks": [
                        {"id": part, "extension": "wav", "has_bleed": stem == "bass"}
                        for part in parts
                    ],
                }
            )
        (folder / "data.json").write_text(json.dumps({"song": "x", "stems": facts}))
    (root / "moisesdb_v0.1" / "song-b" / "vocals" / "song-b-vocals-0.wav").unlink()
    return root


def test_moisesdb_sums_its_files_up_to_four_or_six_stems(moisesdb: Path, tmp_path: Path) -> None:
    four = open_dataset(Catalog().dataset("moisesdb"), moisesdb)
    assert [track.name for track in four.tracks] == ["song-a", "song-b"]
    track = four.tracks[0]
    assert list(track.stems) == ["vocals", "drums", "bass", "other"]
    prepared = prepare(track, tmp_path / "scratch")
    folder = moisesdb / "moisesdb_v0.1" / "song-a"
    parts = [read(p)[0] for s in ("guitar", "piano", "wind") for p in (folder / s).glob("*.wav")]
    expected = np.zeros((2, max(p.shape[1] for p in parts)), np.float32)
    for part in parts:
        expected[:, : part.shape[1]] += part
    np.testing.assert_allclose(prepared.stems["other"].open(), expected, atol=1e-6)
    assert prepared.flags[:1] == ("bleed:bass",)
    assert "unequal_lengths" in prepared.flags
    six = open_dataset(Catalog().dataset("moisesdb-6"), moisesdb).tracks[0]
    assert list(six.stems) == ["vocals", "drums", "bass", "guitar", "piano", "other"]
    assert six.fingerprint != track.fingerprint


def test_moisesdbs_doctor_counts_and_names_what_is_lost(moisesdb: Path) -> None:
    checks = {check.name: check for check in doctor("moisesdb", root=moisesdb)}
    assert checks["song-a"].ok
    assert not checks["song-b"].ok
    assert "missing_file:vocals" in checks["song-b"].detail
    assert "missing:drums" in checks["song-b"].detail
    assert not checks["tracks"].ok
    assert checks["tracks"].detail == "2 of 240"
    assert "2 tracks" in checks["summary"].detail
    assert "bleed 1" in checks["summary"].detail


def slakh_song(folder: Path, ending: str, rate: int) -> None:
    stems = {
        "S00": ("Bass", False), "S01": ("Guitar", False), "S02": ("Guitar", False),
        "S03": ("Drums", True), "S04": ("Strings", False), "S05": ("Piano", False),
    }  # fmt: skip
    lines = ["UUID: 1a81ae092884234f3264e2f45927f00a", "audio_dir: stems", "stems:"]
    total = 0.0
    for seed, (number, (kind, drum)) in enumerate(stems.items()):
        rendered = number != "S05"
        lines += [f"  {number}:", f"    audio_rendered: {str(rendered).lower()}"]
        lines += [f"    inst_class: {kind}", f"    is_drum: {str(drum).lower()}"]
        lines += [f"    midi_program_name: '{kind}: x'"]
        if rendered:
            total = total + write(folder / "stems" / f"{number}{ending}", 0.3, seed, 1, rate)
    (folder / "metadata.yaml").write_text("\n".join(lines) + "\n")
    soundfile.write(folder / f"mix{ending}", np.asarray(total).T, rate)


def test_slakhs_classes_come_from_its_metadata(tmp_path: Path) -> None:
    root = tmp_path / "slakh"
    slakh_song(root / "test" / "Track01876", ".flac", RATE)
    slakh_song(root / "train" / "Track00001", ".flac", RATE)
    data_set = open_dataset(Catalog().dataset("slakh2100"), root)
    assert [track.name for track in data_set.tracks] == ["Track01876"]
    track = data_set.tracks[0]
    assert list(track.stems) == ["drums", "bass", "guitar", "other"]  # the piano has no file
    assert len(track.stems["guitar"].files) == 2
    prepared = prepare(track, tmp_path / "scratch")
    assert prepared.mixture.channels == 1
    assert not [flag for flag in prepared.flags if flag.startswith("residual")]
    (root / "test" / "Track01876" / "stems" / "S00.flac").unlink()
    damaged = open_dataset(Catalog().dataset("slakh2100"), root).tracks[0]
    assert damaged.flags == ("missing_file:S00",)


def test_babyslakh_is_the_same_at_16_khz_without_splits(tmp_path: Path) -> None:
    root = tmp_path / "babyslakh_16k"
    slakh_song(root / "Track00001", ".wav", 16000)
    checks = {check.name: check for check in doctor("babyslakh", root=root)}
    assert checks["Track00001"].ok
    assert "16000 Hz" in checks["summary"].detail
    assert checks["tracks"].detail == "1 of 20"


def test_dsd100_keeps_its_mixtures_elsewhere(tmp_path: Path) -> None:
    root = tmp_path / "DSD100"
    for split, name in (("Dev", "001 - A"), ("Test", "051 - B")):
        stems = ("drums", "bass", "other", "vocals")
        audio = [
            write(root / "Sources" / split / name / f"{stem}.wav", 0.3, seed)
            for seed, stem in enumerate(stems)
        ]
        place = root / "Mixtures" / split / name
        place.mkdir(parents=True)
        soundfile.write(place / "mixture.wav", np.sum(audio, axis=0).T, RATE)
    data_set = open_dataset(Catalog().dataset("dsd100"), root)
    assert [track.name for track in data_set.tracks] == ["051 - B"]
    track = data_set.tracks[0]
    assert track.mixture is not None
    assert track.mixture.path == root / "Mixtures" / "Test" / "051 - B" / "mixture.wav"
    assert prepare(track, tmp_path / "scratch").flags == ()


@pytest.mark.parametrize(
    ("name", "folder", "mixture", "ending"),
    [("dnr-v2", "tt/1002", "mix", ".wav"), ("dnr-v3", "audio/test/00042", "mixture", ".flac")],
)
def test_divide_and_remaster(
    name: str, folder: str, mixture: str, ending: str, tmp_path: Path
) -> None:
    root = tmp_path / name
    audio = [
        write(root / folder / f"{stem}{ending}", 0.3, seed, 1)
        for seed, stem in enumerate(("speech", "music", "sfx"))
    ]
    soundfile.write(root / folder / f"{mixture}{ending}", np.sum(audio, axis=0).T, RATE)
    (root / folder / "annots.csv").write_text("x")
    track = open_dataset(Catalog().dataset(name), root).tracks[0]
    assert list(track.stems) == ["speech", "music", "sfx"]
    assert prepare(track, tmp_path / "scratch").flags == ()


def test_errata_are_flags(tmp_path: Path) -> None:
    for stem in ("drums", "bass", "other", "vocals", "mixture"):
        write(tmp_path / "test" / "PR - Oh No" / f"{stem}.wav")
    track = open_dataset(Catalog().dataset("musdb18-hq"), tmp_path).tracks[0]
    prepared = prepare(track, tmp_path / "scratch")
    assert prepared.flags[0] == "erratum:mixture_left"


def test_a_table_of_paths_is_a_data_set(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for stem in ("vocals", "drums"):
            write(tmp_path / "audio" / f"{name}-{stem}.wav", 0.3, len(name + stem))
    table = tmp_path / "list.csv"
    table.write_text(
        "track,vocals,drums,mixture\n"
        "One,audio/one-vocals.wav,audio/one-drums.wav,\n"
        'Two,audio/two-vocals.wav,audio/two-drums.wav,"audio/one-drums.wav"\n'
    )
    result = benchbench.run(
        ["mixture:4stems"], "csv", root=table, out=tmp_path / "out", metrics=["usdr"], report=False
    )
    assert result.tally.ok == 2
    flags = {r["track"]: r["track_flags"] for r in result.results.separations().to_pylist()}
    assert flags["One"] == ""
    assert flags["Two"].startswith("residual:")
    table.write_text("track,vocals\nOne,nowhere.wav\n")
    with pytest.raises(UsageError, match=r"line 2: there is no file .*nowhere\.wav"):
        open_dataset(Catalog().dataset("csv"), table)
    table.write_text("name,vocals\n")
    with pytest.raises(UsageError, match="no column 'track'"):
        open_dataset(Catalog().dataset("csv"), table)
    with pytest.raises(UsageError, match="not a file"):
        open_dataset(Catalog().dataset("csv"), tmp_path)


def test_files_are_added_across_blocks(tmp_path: Path) -> None:
    """Stems longer than a block, of different lengths and channels."""
    folder = tmp_path / "p" / "s"
    seconds = (BLOCK + 5000) / RATE
    long, short = write(folder / "drums" / "a.wav", 2 * seconds, 1), write(
        folder / "drums" / "b.wav", seconds, 2, channels=1
    )  # fmt: skip
    facts = {"stems": [{"stemName": "drums", "tracks": [{"id": "a"}, {"id": "b"}]}]}
    (folder / "data.json").write_text(json.dumps(facts))
    track = open_dataset(Catalog().dataset("moisesdb"), tmp_path).tracks[0]
    made = np.asarray(prepare(track, tmp_path / "scratch").stems["drums"].open())
    expected = long.copy()
    expected[:, : short.shape[1]] += short
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_every_shipped_data_set_says_how_to_get_it() -> None:
    catalog = Catalog()
    for name in catalog.dataset_names():
        manifest = catalog.dataset(name).manifest
        assert manifest.summary
        assert manifest.licence.notice
        if manifest.layout != "generated":
            assert manifest.instructions or manifest.downloads, name
