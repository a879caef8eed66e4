"""Score stems of songs without reference stems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchbench.datasets.stem_files import find_stems
from benchbench.errors import AudioError, UsageError
from benchbench.io.audio.audio_files import Audio, read
from benchbench.metrics.described.elsewhere import REFERENCE_FREE
from benchbench.metrics.described.reference_free import reference_free
from benchbench.scoring.score_rows import Labels, rows

__all__ = ["score_mixture"]

_MIXTURES = ("mixture", "mix")


def score_mixture(
    mixture: Path | str, estimates: Path | str, against: Sequence[Path | str] = ()
) -> pa.Table:
    """Compute reference-free symptoms of separated stems.

    Parameters
    ----------
    mixture
        The mixture's audio file.
    estimates
        A folder with its stems, one file each.
    against
        Folders with other separators' stems of the song. ``agreement`` is the SI-SDR against the mean
        of these stems; it is lowest on the songs on which separators differ most.

    Returns
    -------
    Rows of schema `benchbench.results.schema.SCORES`, protocol ``reference-free``.

    Raises
    ------
    UsageError
        When a folder or file is missing, or contains no stems.
    AudioError
        When rates or lengths differ.
    """
    song, folder = Path(mixture), Path(estimates)
    if not song.is_file():
        raise UsageError(f"There is no file {song}.", hint="--mixture names the song.")
    audio, rate = read(song)
    stems = _stems(folder, rate)
    others = [_stems(Path(place), rate) for place in against]
    shared = {
        name: np.asarray(np.mean([other[name] for other in others], axis=0, dtype=np.float32))
        for name in stems
        if others and all(name in other for other in others)
    }
    labels = Labels(None, "", folder.resolve().name, song.resolve().parent.name, song.stem)
    series = reference_free(audio, stems, rate, shared or None)
    return rows(labels, REFERENCE_FREE, {"mixture": series}, "reference-free")


def _stems(folder: Path, rate: int) -> dict[str, Audio]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder.", hint="Name the folder with the stems.")
    files = {name: path for name, path in find_stems(folder).items() if name not in _MIXTURES}
    if not files:
        raise UsageError(f"{folder} holds no stems.", hint="One audio file per stem is needed.")
    stems = {}
    for name, path in files.items():
        stems[name], stem_rate = read(path)
        if stem_rate != rate:
            raise AudioError(f"{path} has {stem_rate} Hz, the mixture {rate} Hz.")
    return stems
