"""From a song's specification to notes: bars, chords, and a melody that carries the words."""

from dataclasses import dataclass, replace

import numpy as np

from .signals import chance

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
BEATS = 4
PHRASE_BARS = 2


@dataclass(frozen=True, slots=True)
class Singer:
    """A voice: what sets one person's sound apart from another's.

    Parameters
    ----------
    description : for people.
    lowest, highest : the range of the melody, MIDI note numbers.
    tract : formants relative to an adult man's (a woman's shorter tract: about 1.17).
    vibrato : depth on long notes, in cents.
    breath : level of the noise of breath in vowels.
    brightness : frequency in Hz above which the voice source falls twice as steeply.
    double : level of the doubling take left and right of the lead.
    """

    description: str
    lowest: int
    highest: int
    tract: float
    vibrato: float = 40.0
    breath: float = 0.03
    brightness: float = 3000.0
    double: float = 0.2


@dataclass(frozen=True, slots=True)
class SongSpec:
    """The specification of a song; the same specification always gives the same song.

    `progression` has one scale degree (1 to 7) per bar and is repeated; `lyrics`
    has one line for two bars, in the spelling that `phonemes` explains;
    `levels` are dB of drums, bass and other relative to the vocals; `reverb` is
    the singer's room in seconds; with `harmony` a second voice joins in the
    later lines.
    """

    name: str
    seed: int
    style: str
    bpm: float
    tonic: int
    mode: str
    progression: tuple[int, ...]
    singer: Singer
    lyrics: tuple[str, ...]
    drums: str
    bass: str
    layers: tuple[str, ...]
    levels: tuple[float, float, float]
    reverb: float = 1.2
    harmony: bool = False

    @property
    def beat(self) -> float:
        """Seconds per beat."""
        return 60.0 / self.bpm

    @property
    def bar(self) -> float:
        """Seconds per bar."""
        return BEATS * self.beat

    @property
    def bars(self) -> int:
        """Bars of the song: two for each line."""
        return PHRASE_BARS * len(self.lyrics)

    @property
    def seconds(self) -> float:
        """Length of the song with room for the last sound to die away."""
        return self.bars * self.bar + 0.8


@dataclass(frozen=True, slots=True)
class Note:
    """One sung syllable: times in seconds, pitch as MIDI number, and whether a line starts here."""

    start: float
    end: float
    pitch: int
    syllable: str
    opens: bool


def degree_pitch(song: SongSpec, degree: int) -> int:
    """Return the MIDI number of a scale degree counted from 0 (7 is the octave)."""
    scale = SCALES[song.mode]
    return song.tonic + 12 * (degree // 7) + scale[degree % 7]


def chord(song: SongSpec, bar: int) -> tuple[int, int, int]:
    """Return the triad of a bar as MIDI numbers above the tonic's octave."""
    root = song.progression[bar % len(song.progression)] - 1
    first, third, fifth = (degree_pitch(song, root + step) for step in (0, 2, 4))
    return first, third, fifth


def rhythm(count: int, slots: int, random: np.random.Generator) -> list[int]:
    """Share `slots` eighth notes among `count` syllables; the last one is held.

    Raises
    ------
    ValueError
        If the line has more syllables than the bars have room for.
    """
    if count > slots:
        raise ValueError(f"a line of {count} syllables does not fit {slots} eighth notes")
    lengths = [1] * count
    spare = slots - count
    lengths[-1] += min(spare, 3)
    for _ in range(spare - min(spare, 3)):
        lengths[int(random.integers(count))] += 1
    return lengths


def melody(song: SongSpec) -> list[Note]:
    """Compose the tune: chord notes on strong beats, steps of the scale between them."""
    random = chance(song.seed, "melody")
    singer, eighth = song.singer, song.beat / 2.0
    scale = {degree_pitch(song, degree) % 12 for degree in range(7)}
    usable = [p for p in range(singer.lowest, singer.highest + 1) if p % 12 in scale]
    pitch = usable[len(usable) // 2]
    notes: list[Note] = []
    for line, words in enumerate(song.lyrics):
        syllables = words.split()
        slot = int(random.integers(1, 3))
        total = BEATS * 2 * PHRASE_BARS
        for index, length in enumerate(rhythm(len(syllables), total - 1 - slot, random)):
            bar = line * PHRASE_BARS + slot // (BEATS * 2)
            tones = {tone % 12 for tone in chord(song, bar)}
            strong = slot % 4 == 0 or length > 2
            candidates = [p for p in usable if not strong or p % 12 in tones]
            aim = pitch + random.normal(0.0, 3.0) + 0.15 * (usable[len(usable) // 2] - pitch)
            pitch = candidates[int(np.argmin(np.abs(np.array(candidates) - aim)))]
            start = line * PHRASE_BARS * song.bar + slot * eighth
            notes.append(Note(start, start + length * eighth, pitch, syllables[index], index == 0))
            slot += length
    return notes


def second_voice(song: SongSpec, notes: list[Note]) -> list[Note]:
    """Return the later lines of the tune a third higher in the song's scale."""
    pitches = [degree_pitch(song, degree) for degree in range(-14, 21)]
    first = len(song.lyrics) // 2 * PHRASE_BARS * song.bar
    later = [note for note in notes if note.start >= first]
    return [replace(note, pitch=pitches[pitches.index(note.pitch) + 2]) for note in later]
