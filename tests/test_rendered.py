"""The songs made from soundfonts, MIDI files and speech: plan, splits, and one short song of each way of making.

A song of the generator's own instruments and singer needs nothing but NumPy and SciPy; the
others are made where the packages are installed that the data set names.
"""

import importlib
import importlib.util
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

from benchbench.errors import UsageError
from benchbench.plugins.catalog import Catalog

LOADER = Path(__file__).parents[1] / "datasets" / "rendered" / "loader.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rendered_loader_under_test", LOADER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rendered = load()


def part(name: str) -> ModuleType:
    """Return a module of the studio."""
    package = next(m for m in sys.modules if m.startswith("_studio_") and "." not in m)
    return importlib.import_module(f"{package}.{name}")


def lacking() -> list[str]:
    modules = [m for m in ("mido", "pyworld") if importlib.util.find_spec(m) is None]
    return [*part("materials").missing(), *modules]


def short(kind: str, split: str = "train") -> dict[str, np.ndarray]:
    order = part("plan").Order(split, 0, kind, seed=77, seconds=(6.0, 7.0))
    stems: dict[str, np.ndarray] = part("songs").render(order)
    return stems


def assert_is_a_song(
    stems: dict[str, np.ndarray], names: tuple[str, ...] = ("drums", "bass", "other", "vocals")
) -> None:
    assert tuple(stems) == names
    shapes = {sound.shape for sound in stems.values()}
    assert len(shapes) == 1
    channels, samples = shapes.pop()
    assert channels == 2
    assert 4.0 < samples / rendered.SAMPLE_RATE < 16.0
    levels = {n: 20 * np.log10(np.sqrt(np.mean((s / 32768.0) ** 2))) for n, s in stems.items()}
    assert all(-45.0 < level < -6.0 for level in levels.values()), levels
    mixture = np.sum([sound.astype(np.int64) for sound in stems.values()], axis=0)
    assert np.abs(mixture).max() < 32768


def test_a_song_of_code_has_four_stems_and_is_the_same_again() -> None:
    first, again = short("coded-formant"), short("coded-formant")
    assert_is_a_song(first)
    for stem, sound in first.items():
        assert sound.dtype == np.int16
        np.testing.assert_array_equal(sound, again[stem])


def test_another_seed_is_another_song() -> None:
    plan, songs = part("plan"), part("songs")
    order = plan.Order("train", 0, "coded-formant", seed=77, seconds=(6.0, 7.0))
    one, other = songs.render(order), songs.render(replace(order, seed=78))
    shared = min(one["other"].shape[1], other["other"].shape[1])
    alike = np.corrcoef(one["other"][0, :shared], other["other"][0, :shared])[0, 1]
    assert abs(alike) < 0.5


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=f"not installed: {', '.join(lacking())}")
@pytest.mark.parametrize("kind", ["written-spoken", "arranged-formant", "coded-spoken"])
def test_a_song_of_soundfonts_or_speech_is_made(kind: str) -> None:
    assert_is_a_song(short(kind, split="test"))


@pytest.mark.skipif(bool(part("materials").missing()), reason="the MIDI files are not installed")
def test_splits_share_no_midi_file() -> None:
    materials = part("materials")
    pieces = {split: {p.data for p in materials.pieces(split)} for split in part("plan").SIZES}
    assert all(len(files) >= 5 for files in pieces.values())
    assert len(set.union(*pieces.values())) == sum(map(len, pieces.values()))


def write_tone(path: Path, rate: int, seconds: float = 40.0, beat: float = 0.5) -> None:
    """A plucked A major chord, once a beat."""
    clock = np.arange(round(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * pitch * clock) for pitch in (220.0, 277.18, 329.63))
    pluck = np.exp(-6.0 * (clock % beat))
    soundfile.write(path, 0.1 * np.stack([chord * pluck] * 2, axis=1), rate)


def test_a_song_over_released_music_has_two_stems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, released, materials = part("plan"), part("released"), part("materials")
    monkeypatch.setattr(materials, "_SHARE", tmp_path)
    monkeypatch.setattr(released, "SECONDS", 8.0)
    write_tone(tmp_path / "tune.ogg", 32000)
    with zipfile.ZipFile(tmp_path / "music.pk3", "w") as archive:
        archive.write(tmp_path / "tune.ogg", "sound/tune.ogg")
    made = []
    for name in ("tune.ogg", "music.pk3!sound/tune.ogg"):
        excerpt = materials.Excerpt("train", "music", name, 3.0)
        order = plan.Order("train", 0, "released-formant", seed=7, excerpt=excerpt)
        made.append(part("songs").render(order))
    assert_is_a_song(made[0], ("accompaniment", "vocals"))
    for stem, sound in made[0].items():
        np.testing.assert_array_equal(sound, made[1][stem])


def test_beats_and_chords_are_heard(tmp_path: Path) -> None:
    released = part("released")
    write_tone(tmp_path / "tune.wav", 44100, 20.0, beat=0.6)
    sound = soundfile.read(tmp_path / "tune.wav", always_2d=True)[0].T
    found = np.array(released.beats(sound))
    assert np.median(np.diff(found)) == pytest.approx(0.6, abs=0.02)
    assert np.abs((found + 0.3) % 0.6 - 0.3).max() < 0.15
    classes = np.bincount([note.pitch % 12 for note in released.chords(sound).notes], minlength=12)
    assert set(np.argsort(classes)[-3:]) == {9, 1, 4}  # A, C sharp, E


def test_splits_share_no_released_music() -> None:
    materials = part("materials")
    packages = [{e.package for e in materials.excerpts(split)} for split in part("plan").SIZES]
    assert all(packages)
    assert len(set.union(*packages)) == sum(map(len, packages))
    assert all((o.excerpt is None) != o.kind.startswith("released") for o in part("plan").orders())


def test_splits_share_no_voice_and_no_seed() -> None:
    voices = list(part("materials").SPEAKERS.values())
    people = [{v.partition("_")[2] for v in names} for names in voices]
    assert len(set.union(*people)) == sum(map(len, people))
    orders = part("plan").orders()
    assert len({order.seed for order in orders}) == len(orders)


def test_any_beginning_of_the_plan_has_every_kind_and_split() -> None:
    plan = part("plan")
    first = plan.orders()[:40]
    assert {order.kind for order in first} == set(plan.KINDS)
    assert {order.split for order in first} == set(plan.SIZES)


def test_the_manifest_says_what_the_plan_says() -> None:
    manifest = Catalog().dataset("rendered").manifest
    orders = part("plan").orders()
    assert manifest.version == rendered.VERSION
    assert manifest.stems == ("drums", "bass", "other", "vocals", "accompaniment")
    assert set(manifest.validation) == {o.name for o in orders if o.split == "validation"}
    assert str(len(orders)) in manifest.summary
    assert not manifest.licence.audio_excerpts


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(part("materials"), "missing", lambda: ["fluidsynth", "freedoom"])
    with pytest.raises(UsageError, match="fluidsynth, freedoom") as raised:
        rendered.prepare(tmp_path / "songs")
    assert "apt-get install fluidsynth freedoom" in raised.value.hint
    assert not (tmp_path / "songs").exists()


def test_an_unknown_song_is_refused() -> None:
    with pytest.raises(KeyError, match="no song 'song-0'"):
        rendered.render_song("song-0")
