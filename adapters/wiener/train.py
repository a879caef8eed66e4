"""The fitting for ``bench train wiener``: mean powers of the stems over all songs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

Song = Callable[[], Mapping[str, npt.NDArray[np.float32]]]

WINDOW = 2048
TRANSFORM = ShortTimeFFT(hann(WINDOW, sym=False), hop=WINDOW // 2, fs=44100.0)


def train(
    variant: str,
    songs: Sequence[Song],
    output: Path,
    *,
    validation: Sequence[Song],
    initial: Path | None,
    options: Mapping[str, object],
    tell: Callable[[str], None],
) -> Path:
    """Fit the profile; every song counts the same, however loud or long.

    Parameters
    ----------
    variant
        ``2stems`` or ``4stems``; the songs come with its stems.
    songs
        Functions that give {stem: float32 (channels, samples)} at 44.1 kHz.
    output
        Folder for ``profile.npz``.
    validation, initial, options
        Not used: nothing is chosen, and there is nothing to start from.
    tell
        Told how many songs were read.

    Returns
    -------
    The folder with ``profile.npz``, for ``--weights``.
    """
    del variant, validation, initial
    if options:
        raise ValueError(f"fitting takes no options, but {', '.join(options)} was given")
    powers: dict[str, npt.NDArray[np.float64]] = {}
    for song in songs:
        own = {name: _power(audio) for name, audio in song().items()}
        level = sum(float(power.sum()) for power in own.values())
        for name, power in own.items():
            powers[name] = powers.get(name, 0.0) + power / max(level, 1e-12) / len(songs)
    output.mkdir(parents=True, exist_ok=True)
    stored = {name: (power + 1e-12).astype(np.float32) for name, power in powers.items()}
    temporary = output / ".profile.npz.tmp"  # an interrupted run leaves the earlier profile
    with temporary.open("wb") as file:
        np.savez(file, **stored)  # type: ignore[arg-type]
    temporary.replace(output / "profile.npz")
    tell(f"fitted on {len(songs)} songs")
    return output


def _power(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean power (bins,) over frames and channels."""
    padded = np.pad(audio, ((0, 0), (0, max(0, WINDOW - audio.shape[1]))))
    power: npt.NDArray[np.float64] = np.mean(
        np.abs(TRANSFORM.stft(padded, axis=1)) ** 2, axis=(0, 2), dtype=np.float64
    )
    return power
