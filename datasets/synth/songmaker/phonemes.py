"""The sounds of speech as a singer makes them: formants, noise and timing of each phoneme.

A syllable is spelled with phonemes joined by dots, in ARPAbet: `S.AH.N` is
"sun". Exactly one of them is a vowel. Formants are those of an adult man, in
Hz, rounded from the tables of phonetics; a singer's `tract` scales them.
"""

from dataclasses import dataclass

Formants = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One speech sound.

    Parameters
    ----------
    formants : where the tract's first three resonances start.
    glide : where they end (diphthongs), or None.
    seconds : usual length of a consonant; vowels take what the note leaves.
    voice, breath : levels of the vocal folds and of breath through the tract.
    noise : (level, lowest Hz, highest Hz) of the hiss of a narrow passage.
    burst : seconds of noise at the end, after silence (plosives); 0 is noise throughout.
    """

    formants: Formants
    glide: Formants | None = None
    seconds: float = 0.0
    voice: float = 1.0
    breath: float = 0.0
    noise: tuple[float, float, float] | None = None
    burst: float = 0.0

    @property
    def is_vowel(self) -> bool:
        """Whether the sound carries the note."""
        return self.seconds == 0.0


_A: Formants = (750.0, 1200.0, 2500.0)
_E: Formants = (560.0, 1800.0, 2500.0)
_I: Formants = (320.0, 2200.0, 2900.0)
_O: Formants = (520.0, 950.0, 2450.0)
_U: Formants = (340.0, 1000.0, 2300.0)
_LIPS: Formants = (300.0, 950.0, 2250.0)
_RIDGE: Formants = (300.0, 1700.0, 2600.0)
_PALATE: Formants = (300.0, 1950.0, 2400.0)

PHONEMES = {
    "AA": Phoneme(_A),
    "AE": Phoneme((690.0, 1680.0, 2450.0)),
    "AH": Phoneme((640.0, 1250.0, 2500.0)),
    "AO": Phoneme((590.0, 900.0, 2500.0)),
    "EH": Phoneme(_E),
    "ER": Phoneme((490.0, 1350.0, 1750.0)),
    "IH": Phoneme((420.0, 1950.0, 2600.0)),
    "IY": Phoneme(_I),
    "UH": Phoneme((450.0, 1100.0, 2350.0)),
    "UW": Phoneme(_U),
    "AY": Phoneme(_A, (400.0, 2000.0, 2650.0)),
    "AW": Phoneme(_A, (450.0, 950.0, 2400.0)),
    "EY": Phoneme(_E, (360.0, 2150.0, 2750.0)),
    "OW": Phoneme(_O, (380.0, 850.0, 2350.0)),
    "OY": Phoneme(_O, (400.0, 1950.0, 2550.0)),
    "M": Phoneme((260.0, 1050.0, 2200.0), seconds=0.07, voice=0.45),
    "N": Phoneme((260.0, 1550.0, 2500.0), seconds=0.065, voice=0.45),
    "NG": Phoneme((260.0, 1950.0, 2500.0), seconds=0.08, voice=0.4),
    "L": Phoneme((360.0, 1050.0, 2750.0), seconds=0.06, voice=0.7),
    "R": Phoneme((360.0, 1150.0, 1600.0), seconds=0.07, voice=0.7),
    "W": Phoneme((310.0, 700.0, 2200.0), seconds=0.065, voice=0.6),
    "Y": Phoneme((280.0, 2200.0, 2900.0), seconds=0.06, voice=0.6),
    "HH": Phoneme(_A, seconds=0.07, voice=0.0, breath=0.35),
    "S": Phoneme(_RIDGE, seconds=0.11, voice=0.0, noise=(0.30, 5000.0, 11000.0)),
    "SH": Phoneme(_PALATE, seconds=0.11, voice=0.0, noise=(0.32, 2300.0, 7000.0)),
    "F": Phoneme(_LIPS, seconds=0.085, voice=0.0, noise=(0.10, 1500.0, 12000.0)),
    "TH": Phoneme(_RIDGE, seconds=0.08, voice=0.0, noise=(0.09, 1800.0, 12000.0)),
    "Z": Phoneme(_RIDGE, seconds=0.08, voice=0.35, noise=(0.15, 5000.0, 11000.0)),
    "V": Phoneme(_LIPS, seconds=0.06, voice=0.4, noise=(0.04, 1500.0, 10000.0)),
    "DH": Phoneme(_RIDGE, seconds=0.05, voice=0.45, noise=(0.03, 1800.0, 10000.0)),
    "P": Phoneme(_LIPS, seconds=0.085, voice=0.0, noise=(0.22, 500.0, 4000.0), burst=0.030),
    "T": Phoneme(_RIDGE, seconds=0.085, voice=0.0, noise=(0.30, 2800.0, 9000.0), burst=0.040),
    "K": Phoneme(_PALATE, seconds=0.090, voice=0.0, noise=(0.30, 1300.0, 4500.0), burst=0.045),
    "CH": Phoneme(_PALATE, seconds=0.11, voice=0.0, noise=(0.32, 2300.0, 7500.0), burst=0.065),
    "B": Phoneme(_LIPS, seconds=0.06, voice=0.12, noise=(0.12, 400.0, 3000.0), burst=0.012),
    "D": Phoneme(_RIDGE, seconds=0.055, voice=0.12, noise=(0.16, 2500.0, 7000.0), burst=0.015),
    "G": Phoneme(_PALATE, seconds=0.06, voice=0.12, noise=(0.16, 1200.0, 4000.0), burst=0.018),
}


def spell(syllable: str) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Split a syllable into onset, vowel and coda.

    Raises
    ------
    ValueError
        If a phoneme is unknown or the syllable has not exactly one vowel.
    """
    sounds = tuple(syllable.split("."))
    unknown = [sound for sound in sounds if sound not in PHONEMES]
    vowels = [
        place
        for place, sound in enumerate(sounds)
        if sound not in unknown and PHONEMES[sound].is_vowel
    ]
    if unknown or len(vowels) != 1:
        raise ValueError(f"cannot sing {syllable!r}: unknown {unknown}, {len(vowels)} vowels")
    middle = vowels[0]
    return sounds[:middle], sounds[middle], sounds[middle + 1 :]
