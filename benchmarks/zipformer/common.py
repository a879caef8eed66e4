"""Songs with stems, the engine's SI-SDR, and random weights: what the programs of this folder share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile
from zipformer_keras import VARIANTS
from zipformer_keras.shapes import weight_shapes
from zipformer_keras.weights import WEIGHTS_FILE, write_weights

from benchbench import metrics
from benchbench.datasets.dataset import open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.io.processes.scratch import scratch_folder
from benchbench.metrics.references import References
from benchbench.plugins.catalog import Catalog

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = ROOT / "adapters"
RATE = 44_100
STEMS = ("vocals", "drums", "bass", "other")
SHIPPED = ADAPTERS / "zipformer" / "weights" / "tiny"

Stems = dict[str, np.ndarray]


def songs(folder: Path, stems: tuple[str, ...] = STEMS) -> Iterator[tuple[str, Stems]]:
    """The songs of a folder of folders that have these stems, float32 (2, samples)."""
    return songs_of(sorted(path for path in folder.iterdir() if path.is_dir()), stems)


def songs_of(folders: Iterable[Path], stems: tuple[str, ...]) -> Iterator[tuple[str, Stems]]:
    """The songs of these folders that have these stems, float32 (2, samples)."""
    for song in folders:
        if not all((song / f"{stem}.flac").is_file() for stem in stems):
            continue
        read = {}
        for stem in stems:
            samples, rate = soundfile.read(song / f"{stem}.flac", dtype="float32", always_2d=True)
            if rate != RATE:
                raise SystemExit(f"{song} has {rate} Hz; {RATE} Hz is needed.")
            read[stem] = np.ascontiguousarray(np.broadcast_to(samples.T, (2, len(samples))))
        yield song.name, read


def spread(folder: Path, stems: tuple[str, ...], count: int) -> Iterator[tuple[str, Stems]]:
    """So many training songs of a folder that have these stems, evenly spread over all."""
    named = sorted(
        path
        for path in folder.glob("train*")
        if all((path / f"{stem}.flac").is_file() for stem in stems)
    )
    for index in np.unique(np.linspace(0, len(named) - 1, count).round().astype(int)):
        yield from songs_of([named[index]], stems)


def shipped_songs(dataset: str) -> Iterator[tuple[str, Stems]]:
    """The songs of a data set that needs no download."""
    data_set = open_dataset(Catalog().dataset(dataset))
    with scratch_folder() as scratch:
        for number, track in enumerate(data_set.tracks):
            prepared = prepare(track, scratch / str(number))
            yield (
                track.name,
                {name: np.array(raw.open()) for name, raw in prepared.stems.items()},
            )


def si_sdr(references: Stems, estimates: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The engine's SI-SDR, in dB."""
    found = metrics.evaluate(References(references, sample_rate=RATE), dict(estimates), ["si"])
    return {
        series.target: float(series.values[0])
        for series in found["si"]
        if series.metric == "SI-SDR"
    }


def write_random(variant: str, folder: Path) -> None:
    """Write random weights to a folder for a separator."""
    rng, arrays = np.random.default_rng(0), {}
    for name, shape in weight_shapes(VARIANTS[variant]).items():
        inputs = shape[-2] if len(shape) > 1 else 1
        drawn = rng.uniform(-1.0, 1.0, shape) * (0.5 * inputs**-0.5)
        arrays[name] = (drawn + (1.0 if name.endswith("deviation") else 0.0)).astype(np.float32)
    write_weights(folder / WEIGHTS_FILE, arrays, {}, bits=32)
