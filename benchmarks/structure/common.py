"""What the programs share: the shipped network, songs, and tables with standard errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from zipformer_keras.runtime import build_keras
from zipformer_keras.variants import VARIANTS
from zipformer_keras.weights import WEIGHTS_FILE, assign, read_weights, without_heads

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "adapters" / "zipformer" / "weights"
RATE = 44_100
Stems = dict[str, np.ndarray]


def shipped(variant: str = "tiny") -> tuple[Any, dict[str, np.ndarray]]:
    """A variant's network without heads, and its shipped weights without those of heads."""
    weights, _ = read_weights(SHIPPED / variant / WEIGHTS_FILE)
    weights = without_heads(weights)
    network = build_keras(VARIANTS[variant])
    assign(network, weights)
    return network, weights


def excerpt(path: Path, start: int, length: int) -> np.ndarray:
    """A window of a file, float32 (2, length), padded with silence."""
    samples, _ = soundfile.read(path, frames=length, start=start, dtype="float32", always_2d=True)
    stereo = np.broadcast_to(samples.T, (2, len(samples)))
    return np.pad(stereo, ((0, 0), (0, length - stereo.shape[1])))


def excerpts(folder: Path, stems: Sequence[str], seconds: float) -> Stems:
    """A song's stems, so many seconds from its middle."""
    info = soundfile.info(folder / f"{stems[0]}.flac")
    length = min(round(seconds * RATE), info.frames)
    start = (info.frames - length) // 2
    return {stem: excerpt(folder / f"{stem}.flac", start, length) for stem in stems}


def songs_with(folder: Path, stems: Sequence[str], most: int) -> list[Path]:
    """Folders of songs that have these stems, evenly spaced over all."""
    every = sorted(p for p in folder.iterdir() if all((p / f"{s}.flac").is_file() for s in stems))
    count = min(most, len(every))
    return [every[index] for index in np.linspace(0, len(every) - 1, count).astype(int)]


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print the processor seconds of a block."""
    start = time.process_time()
    yield
    print(f"{what}: {time.process_time() - start:.0f} processor seconds", flush=True)


def with_error(values: Sequence[float]) -> str:
    """Mean and standard error, such as ``+0.31 (0.04)``."""
    if len(values) < 2:
        return f"{np.mean(values):+.2f}"
    return f"{np.mean(values):+.2f} ({np.std(values, ddof=1) / len(values) ** 0.5:.2f})"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


Print = Callable[[str], None]
