"""The songs made by code: the same everywhere, musical in level and spectrum, and never clipped.

Fingerprints (levels of five bands every two seconds) stand in for hashes,
which the last bits of floating point would break from machine to machine.
After a change of sound, raise VERSION in the loader and run this file as a
program to write them anew.
"""

import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
import scipy.fft

LOADER = Path(__file__).parents[1] / "datasets" / "synth" / "loader.py"
FINGERPRINTS = Path(__file__).parent / "data" / "synth_fingerprints.json"
EDGES = (0.0, 150.0, 600.0, 2400.0, 9600.0, 22050.0)
BLOCK = 2 * 44100
QUIET_DB = -70.0
TOLERANCE_DB = 1.0

Rendered = dict[str, dict[str, npt.NDArray[np.int16]]]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("synth_loader_under_test", LOADER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(name: str) -> ModuleType:
    """Return a module of the generator's package."""
    load()
    package = next(m for m in sys.modules if m.startswith("_songmaker_") and "." not in m)
    return importlib.import_module(f"{package}.{name}")


synth = load()


@pytest.fixture(scope="module")
def songs() -> Rendered:
    return {name: synth.render_song(name) for name in synth.SONGS}


def spectrum(
    sound: npt.NDArray[np.int16],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    size = int(scipy.fft.next_fast_len(sound.shape[-1], real=True))
    power = np.abs(scipy.fft.rfft(sound / 32768.0, size, axis=-1)) ** 2
    return np.fft.rfftfreq(size, 1.0 / 44100.0), np.atleast_2d(power).sum(axis=0)


def share(sound: npt.NDArray[np.int16], low: float, high: float) -> float:
    frequency, power = spectrum(sound)
    return float(power[(frequency >= low) & (frequency < high)].sum() / power.sum())


def fingerprint(sound: npt.NDArray[np.int16]) -> list[list[float]]:
    """Levels in dB, a row for each whole block of two seconds and a column for each band.

    The window keeps strong bands from leaking into weak ones.
    """
    frequency = np.fft.rfftfreq(BLOCK, 1.0 / 44100.0)
    window = np.hanning(BLOCK)
    rows = []
    for start in range(0, sound.shape[1] - BLOCK + 1, BLOCK):
        block = sound[:, start : start + BLOCK] / 32768.0
        power = (np.abs(np.fft.rfft(window * block, axis=1)) ** 2).sum(axis=0)
        bands = [
            power[(frequency >= a) & (frequency < b)].sum() for a, b in itertools.pairwise(EDGES)
        ]
        rows.append([round(10.0 * float(np.log10(e / BLOCK**2 + 1e-12)), 1) for e in bands])
    return rows


def test_describes_enough_songs_of_different_kinds():
    assert len(synth.SONGS) >= 6
    assert set(synth.DESCRIPTIONS) == set(synth.SONGS)
    kinds = synth.DESCRIPTIONS.values()
    assert len({d.style for d in kinds}) == len(synth.SONGS)
    assert len({d.bpm for d in kinds}) >= 6
    assert len({d.key for d in kinds}) >= 4
    assert len({d.singer for d in kinds}) >= 4


def test_names_are_safe_for_folders():
    for name in synth.SONGS:
        assert name.isascii()
        assert name.replace("-", "").isalnum()
        assert name == name.lower()


def test_unknown_song_is_refused_with_the_known_ones():
    with pytest.raises(KeyError, match="paper-boats"):
        synth.render_song("song-0")


def test_stems_have_one_shape_type_and_length(songs):
    for name, stems in songs.items():
        assert tuple(stems) == synth.STEMS == ("drums", "bass", "other", "vocals")
        assert {s.dtype for s in stems.values()} == {np.dtype(np.int16)}
        shapes = {s.shape for s in stems.values()}
        assert len(shapes) == 1
        channels, samples = shapes.pop()
        assert channels == 2
        assert 10.0 <= samples / synth.SAMPLE_RATE <= 20.0
        assert abs(samples / synth.SAMPLE_RATE - synth.DESCRIPTIONS[name].seconds) < 0.1


def test_mixture_is_loud_but_never_clips(songs):
    for stems in songs.values():
        mixture = np.sum([s.astype(np.int64) for s in stems.values()], axis=0)
        assert 0.7 * 32767 < np.abs(mixture).max() <= 32767


def test_no_stem_is_silent_for_long(songs):
    for stems in songs.values():
        for sound in stems.values():
            blocks = sound[:, : sound.shape[1] // BLOCK * BLOCK].reshape(2, -1, BLOCK)
            assert (np.sqrt(((blocks / 32768.0) ** 2).mean(axis=(0, 2))) > 3e-3).all()


def test_stems_sound_like_what_they_are(songs):
    for stems in songs.values():
        assert share(stems["bass"], 20.0, 500.0) > 0.85
        assert share(stems["drums"], 5000.0, 22050.0) > 0.005
        assert share(stems["vocals"], 150.0, 5000.0) > 0.85
        assert share(stems["vocals"], 5000.0, 16000.0) > 1e-4


def test_singer_stands_in_the_middle_and_the_band_around(songs):
    for stems in songs.values():
        width = {}
        for stem, sound in stems.items():
            left, right = sound.astype(np.float64)
            width[stem] = np.sum((left - right) ** 2) / np.sum((left + right) ** 2)
        assert width["vocals"] < 0.2
        assert width["bass"] < 0.01
        assert width["other"] > width["vocals"]


def test_voice_is_at_a_musical_level(songs):
    for stems in songs.values():
        voice = stems["vocals"].astype(np.float64)
        mixture = np.sum([s.astype(np.float64) for s in stems.values()], axis=0)
        target = voice * (np.sum(voice * mixture) / np.sum(voice**2))
        si_sdr = 10.0 * np.log10(np.sum(target**2) / np.sum((mixture - target) ** 2))
        assert -8.0 < si_sdr < -4.0


def test_same_song_twice_is_the_same_to_the_bit(songs):
    again = load()
    for stem, sound in again.render_song("iron-summer").items():
        np.testing.assert_array_equal(sound, songs["iron-summer"][stem])


def test_songs_differ(songs):
    for a, b in itertools.combinations(songs, 2):
        for stem in synth.STEMS:
            one, two = songs[a][stem].astype(np.float64), songs[b][stem].astype(np.float64)
            count = min(one.shape[1], two.shape[1])
            one, two = one[:, :count], two[:, :count]
            assert abs(np.sum(one * two)) < 0.5 * np.sqrt(np.sum(one**2) * np.sum(two**2))


def test_sound_is_that_of_the_committed_version(songs):
    committed = json.loads(FINGERPRINTS.read_text())
    assert committed["version"] == synth.VERSION
    assert set(committed["songs"]) == set(songs)
    for name, stems in songs.items():
        for stem, sound in stems.items():
            now = np.maximum(fingerprint(sound), QUIET_DB)
            then = np.maximum(committed["songs"][name][stem], QUIET_DB)
            assert now.shape == then.shape
            assert np.abs(now - then).max() < TOLERANCE_DB, (name, stem)


def test_melody_keeps_to_the_singers_range_and_the_key():
    score, book = part("score"), part("songs")
    for song in book.SONGS:
        notes = score.melody(song)
        scale = {(song.tonic + step) % 12 for step in score.SCALES[song.mode]}
        assert {note.pitch % 12 for note in notes} <= scale
        assert all(song.singer.lowest <= note.pitch <= song.singer.highest for note in notes)
        assert len(notes) == sum(len(line.split()) for line in song.lyrics)
        assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(notes))


def test_line_too_long_for_its_bars_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        part("score").rhythm(15, 14, np.random.Generator(np.random.PCG64(1)))


@pytest.mark.parametrize(
    ("syllable", "parts"),
    [
        ("S.T.R.IY.T", (("S", "T", "R"), "IY", ("T",))),
        ("AH", ((), "AH", ())),
    ],
)
def test_syllables_are_split_at_their_vowel(syllable, parts):
    assert part("phonemes").spell(syllable) == parts


@pytest.mark.parametrize("syllable", ["S.T", "AH.T.IY", "Q.AH"])
def test_what_cannot_be_sung_is_refused(syllable):
    with pytest.raises(ValueError, match="cannot sing"):
        part("phonemes").spell(syllable)


def test_consonants_before_the_beginning_are_left_out():
    """A tune may begin at once; its first syllable then begins with the vowel."""
    score, diction = part("score"), part("diction")
    notes = [
        score.Note(0.0, 0.5, 60, "S.T.R.IY.T", opens=True),
        score.Note(0.5, 1.0, 62, "AH", opens=False),
    ]
    song = part("songs").SONGS[0]
    random = np.random.Generator(np.random.PCG64(1))
    gestures = diction.perform(notes, 1.2, song.singer, random)
    assert np.isfinite(gestures.formants).all()
    later = [score.Note(n.start + 0.5, n.end + 0.5, n.pitch, n.syllable, n.opens) for n in notes]
    again = diction.perform(later, 1.7, song.singer, np.random.Generator(np.random.PCG64(1)))
    middle, shift = round(0.25 / diction.FRAME), round(0.5 / diction.FRAME)
    assert gestures.voice[middle] == pytest.approx(again.voice[middle + shift], rel=0.3)
    assert gestures.voice[middle] > 0.5
    assert gestures.formants[middle, 0] == pytest.approx(again.formants[middle + shift, 0], rel=0.2)


@pytest.mark.parametrize("midi", [33, 57, 81])
def test_plucked_string_is_in_tune(midi):
    frequency = 440.0 * 2.0 ** ((midi - 69) / 12)
    random = np.random.Generator(np.random.PCG64(1))
    note = part("tones").plucked(frequency, 2.0, random, decay=0.5)
    power = np.abs(np.fft.rfft(note * np.hanning(note.size), 1 << 19))
    near = slice(int(0.7 * frequency / 44100 * (1 << 19)), int(1.4 * frequency / 44100 * (1 << 19)))
    found = (np.argmax(power[near]) + near.start) * 44100 / (1 << 19)
    assert abs(1200 * np.log2(found / frequency)) < 5.0


def test_vocal_folds_close_once_a_period():
    random = np.random.Generator(np.random.PCG64(1))
    pulses = part("singing").glottal_pulses(np.full(44100, 200.0), np.ones(44100), random)
    peaks = pulses > 0.5 * pulses.max()
    assert np.sum(peaks[1:] & ~peaks[:-1]) in range(198, 202)


def test_open_tract_leaves_the_source_alone():
    tract = part("vocal_tract")
    source = np.random.Generator(np.random.PCG64(1)).standard_normal(30 * tract.HOP)
    flat = np.ones((31, tract.FFT // 2 + 1), dtype=np.complex64)
    np.testing.assert_allclose(tract.articulate(source, flat), source, atol=1e-5)


def test_resonance_peaks_at_its_frequency_and_passes_zero_hertz():
    tract = part("vocal_tract")
    gain = 1.0 / np.abs(tract.resonance(np.array([1000.0]), np.array([80.0]))[0])
    assert gain[0] == pytest.approx(1.0, rel=1e-3)
    assert np.argmax(gain) * 44100 / tract.FFT == pytest.approx(1000.0, abs=25.0)


def write_fingerprints() -> None:
    songs = {
        name: {stem: fingerprint(sound) for stem, sound in synth.render_song(name).items()}
        for name in synth.SONGS
    }
    lines = [
        f'  "{name}": {{\n'
        + ",\n".join(f'   "{stem}": {json.dumps(rows)}' for stem, rows in stems.items())
        + "\n  }"
        for name, stems in songs.items()
    ]
    text = f'{{\n "version": {synth.VERSION},\n "songs": {{\n' + ",\n".join(lines) + "\n }\n}\n"
    FINGERPRINTS.write_text(text)


if __name__ == "__main__":
    write_fingerprints()
