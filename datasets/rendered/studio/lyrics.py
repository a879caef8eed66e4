"""Words for the voices of `flite` and `festival`: random sentences without rhyme."""

import subprocess
from pathlib import Path

import numpy as np

__all__ = ["sentence", "speak"]

_WORDS = {
    "who": "I you we they nobody everyone someone lovers strangers children sailors angels",
    "does": "know want remember follow carry leave forget believe discover hold miss need chase paint",
    "what": "love fire rain shadows music heaven silence gold sugar thunder summer winter danger daylight",
    "how": "slowly tonight forever again together alone tomorrow higher easily always maybe only",
    "of": "in under over beyond without inside behind between across into",
    "where": "the river|the city|my window|your garden|the morning|a thousand stories|the ocean|this town|the highway|a broken mirror|the mountain|our kitchen",
}


def sentence(random: np.random.Generator) -> str:
    """Return a line or two of a song."""

    def one(kind: str) -> str:
        words = _WORDS[kind].split("|" if kind == "where" else None)
        return words[int(random.integers(len(words)))]

    lines = [
        f"{one('who')} {one('does')} {one('what')} {one('of')} {one('where')} {one('how')}"
        for _ in range(2)
    ]
    return ", ".join(lines) + "."


def speak(voice: str, text: str, path: Path) -> None:
    """Write `text`, spoken by a voice of flite or festival, to a wav file of 16 kHz.

    Voices of other languages read English letters by their own rules, which is good enough.

    Raises
    ------
    RuntimeError
        If the program fails; the message holds its output.
    """
    program, _, name = voice.split("_", 2)
    if program == "flite":
        command, given = ["flite", "-voice", name, "-t", text, "-o", str(path)], None
    else:
        command = ["text2wave", "-F", "16000", "-eval", f"(voice_{name})", "-o", str(path)]
        given = text
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode or not path.exists():
        raise RuntimeError(f"{command[0]} failed ({done.returncode}): {done.stderr[-500:]}")
