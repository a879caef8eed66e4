"""The songs made from soundfonts, MIDI files and speech: plan, splits, and one short song of each way of making.

A song of the generator's own instruments and singer needs nothing but NumPy and SciPy; the
others are made where the packages are installed that the data set names.
"""

import hashlib
import importlib
import importlib.util
import subprocess
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
from tests.faults.conftest import family, survivors, wait_for

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
@pytest.mark.parametrize(
    "kind", ["written-spoken", "arranged-formant", "coded-spoken", "electronic-spoken"]
)
def test_a_song_of_soundfonts_or_speech_is_made(kind: str) -> None:
    assert_is_a_song(short(kind, split="test"))


@pytest.mark.skipif(bool(part("materials").missing()), reason="the MIDI files are not installed")
def test_splits_share_no_midi_file() -> None:
    materials = part("materials")
    pieces = {split: {p.data for p in materials.pieces(split)} for split in part("plan").SIZES}
    assert all(len(files) >= 5 for files in pieces.values())
    assert len(set.union(*pieces.values())) == sum(map(len, pieces.values()))


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=f"not installed: {', '.join(lacking())}")
def test_released_music_gets_drums_and_a_bass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, released, materials = part("plan"), part("released"), part("materials")
    monkeypatch.setattr(released, "SECONDS", 8.0)
    excerpt = materials.excerpts("further-joined")[0]
    order = plan.Order("train", 0, "joined-spoken", 7, excerpt=excerpt, voices="further")
    stems = part("songs").render(order)
    assert_is_a_song(stems)
    spectrum = np.abs(np.fft.rfft(stems["other"][0].astype(float)))
    frequency = np.fft.rfftfreq(stems["other"].shape[1], 1 / 44100)
    low = np.square(spectrum[frequency < 60]).sum()
    assert low < 1e-3 * np.square(spectrum[frequency > 250]).sum()


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
    over = ("released", "joined")
    assert all((o.excerpt is None) != o.kind.startswith(over) for o in part("plan").orders())


def test_splits_share_no_voice_and_no_seed() -> None:
    voices = list(part("materials").SPEAKERS.values())
    people = [{v.partition("_")[2] for v in names} for names in voices]
    assert len(set.union(*people)) == sum(map(len, people))
    orders = part("plan").orders()
    assert len({order.seed for order in orders}) == len(orders)


def test_songs_of_earlier_versions_are_planned_as_they_were() -> None:
    """Names, seeds and excerpts of the songs of version 3: scores on validation and test stay comparable."""
    earlier = [order for order in part("plan").orders() if not order.voices]
    assert len(earlier) == 429
    described = "".join(
        f"{o.name} {o.seed} {o.seconds} {o.excerpt and (o.excerpt.file, o.excerpt.start)}\n"
        for o in sorted(earlier, key=lambda order: order.name)
    )
    assert (
        hashlib.sha256(described.encode()).hexdigest()
        == "57e8e84aea8c9f1ca77bc8eb3fc87a5dd8fcdd8e5015150e2c081ac9d3a3206a"
    )
    speakers = part("materials").SPEAKERS
    voices = repr([speakers[split] for split in ("train", "validation", "test")])
    assert (
        hashlib.sha256(voices.encode()).hexdigest()
        == "1ff4405eaa734d6abd1a8372eca52377899ba5f5e77251002b15fb6f2b160341"
    )
    assert all(order.split == "train" for order in part("plan").orders() if order.voices)


def test_further_songs_take_music_of_training_packages_only() -> None:
    materials = part("materials")
    train = {excerpt.package for excerpt in materials.excerpts("train")}
    for name in ("joined", "released"):
        further = materials.excerpts(f"further-{name}")
        assert len(further) >= 50
        assert {excerpt.package for excerpt in further} <= train
    voices = set(materials.speakers("further"))
    assert voices > set(materials.speakers("train"))
    assert not voices & {*materials.speakers("validation"), *materials.speakers("test")}


def test_a_synthetic_bass_plays_the_notes_it_is_given() -> None:
    low, notes = part("low"), part("notes")
    random = np.random.default_rng(0)
    line = [notes.Struck(0.0, 1.0, 60, 100), notes.Struck(1.0, 2.0, 64, 100)]
    deep = low.lowered(line, random)
    assert [24 <= note.pitch < 43 for note in deep] == [True, True]
    assert (deep[1].pitch - deep[0].pitch) % 12 == 4
    for seed in range(8):
        sound = low.played(deep, 2.5, np.random.default_rng(seed))
        assert sound.shape == (2, round(2.5 * 44100))
        assert np.abs(sound[:, 2 * 44100 + 4410 :]).max() < 1e-3
        held = sound[0, 20000:40000] * np.hanning(20000)
        spectrum = np.abs(np.fft.rfft(held, 1 << 18))
        heard = np.fft.rfftfreq(1 << 18, 1 / 44100)
        fundamental = 440.0 * 2.0 ** ((deep[0].pitch - 69) / 12)
        below = spectrum[(heard > 20) & (heard < 1.5 * fundamental)]
        peak = heard[(heard > 20) & (heard < 1.5 * fundamental)][below.argmax()]
        assert peak == pytest.approx(fundamental, rel=0.06)


def test_a_drum_machine_strikes_when_the_groove_says() -> None:
    machine, oneshots = part("machine"), part("oneshots")
    beats = [0.5 * index for index in range(33)]
    hits = machine.programmed(beats, np.random.default_rng(1))
    assert hits == sorted(hits)
    kicks = machine.kick_times(hits)
    assert kicks
    assert all(0.0 <= moment < 16.5 for moment, _, _ in hits)
    kit = oneshots.synthesized(np.random.default_rng(0))
    assert set(kit) == set(oneshots.ROLES)
    for sounds in kit.values():
        assert np.abs(sounds[0]).max() == pytest.approx(1.0, abs=1e-6)
    kick = np.abs(np.fft.rfft(kit["kick"][0][0]))
    assert kick.argmax() * 44100 / kit["kick"][0].shape[1] < 120.0


def test_drum_samples_are_sorted_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    oneshots, materials = part("oneshots"), part("materials")
    monkeypatch.setattr(materials, "_SHARE", tmp_path)
    folder = tmp_path / "hydrogen/data/drumkits/kit"
    (tmp_path / "sonic-pi/samples").mkdir(parents=True)
    folder.mkdir(parents=True)
    for name in ("Kick_1", "snare-soft", "HH_closed", "OpenHat"):
        sound = np.random.default_rng(0).standard_normal((22050, 1)) / 10
        soundfile.write(folder / f"{name}.wav", sound, 22050)
    assert oneshots.kits() == [folder]
    kit = oneshots.recorded(folder, np.random.default_rng(0))
    assert set(kit) == {"kick", "snare", "hat", "open"}
    assert kit["kick"][0].shape == (2, 44100)


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


@pytest.mark.skipif(bool(lacking()), reason=f"not installed: {', '.join(lacking())}")
@pytest.mark.skipif(sys.platform != "linux", reason="processes as Linux has them")
def test_the_processes_end_with_a_killed_caller(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.test_rendered import load\n"
        "loader = load(); loader._MOST_PROCESSES = 1; loader.prepare(Path(sys.argv[1]))"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "songs"], cwd=LOADER.parents[2]
    )
    wait_for(lambda: any("loader.py" in " ".join(p.cmdline()) for p in family(caller)[2:]))
    everybody = family(caller)
    caller.kill()
    caller.wait()
    assert not survivors(everybody)


def test_an_unknown_song_is_refused() -> None:
    with pytest.raises(KeyError, match="no song 'song-0'"):
        rendered.render_song("song-0")
