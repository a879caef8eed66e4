"""The seeds of the fuzzing: real files, generated here."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
SIZE_LIMIT = 1 << 16
"""Larger files would slow every mutation down."""


def write_seeds(target: str, folder: Path) -> int:
    """Write the seeds of a target into a folder that is made; returns how many."""
    folder.mkdir(parents=True)
    seeds = [seed for seed in SEEDS[target]() if len(seed) <= SIZE_LIMIT]
    for number, seed in enumerate(seeds):
        (folder / f"{number:03d}").write_bytes(seed)
    return len(seeds)


def shipped(pattern: str) -> Callable[[], Iterator[bytes]]:
    """Files of this repository."""
    return lambda: (path.read_bytes() for path in sorted(ROOT.glob(pattern)))


def archives() -> Iterator[bytes]:
    """Zip and tar files of every compression, with folders, an empty file and a long name."""
    members = {"a/weights.bin": bytes(range(256)) * 4, "empty": b"", f"{'n' * 120}/x": b"deep"}
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    for kind in kinds:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", kind) as bundle:
            for name, content in members.items():
                bundle.writestr(name, content)
        yield file.getvalue()
    for mode in ("w:", "w:gz", "w:bz2", "w:xz"):
        for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            file = io.BytesIO()
            with tarfile.open(fileobj=file, mode=mode, format=form) as tar:
                for name, content in members.items():
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
            yield file.getvalue()


def sounds() -> Iterator[bytes]:
    """A short noise in the forms that libsndfile writes."""
    noise = 0.1 * np.random.default_rng(0).standard_normal((600, 2))
    for form, subtype in (
        ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
        ("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"),
        ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16"),
    ):  # fmt: skip
        file = io.BytesIO()
        rate = 48000 if subtype == "OPUS" else 44100
        soundfile.write(file, noise, rate, format=form, subtype=subtype)
        yield file.getvalue()


def results(pattern: str) -> Callable[[], Iterator[bytes]]:
    """Files of a run that really took place, and was compacted."""

    def made() -> Iterator[bytes]:
        import benchbench
        from benchmarks.kills import songs

        with tempfile.TemporaryDirectory(prefix="seeds-") as place:
            root = songs(Path(place) / "songs", count=2, seconds=1.0)
            out = Path(place) / "out"
            benchbench.run(
                ["silence:2stems", "mixture"], "folder", root=root, out=out, report=False,
                metrics=["usdr"], keep_stems="no",
            )  # fmt: skip
            both = Path(place) / "compacted"
            shutil.copytree(out, both)
            benchbench.compact(both)
            for folder in (out, both):
                yield from (path.read_bytes() for path in sorted(folder.glob(pattern)))

    return made


SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "adapter": shipped("adapters/*/adapter.toml"),
    "dataset": shipped("datasets/*/dataset.toml"),
    "gate": shipped("baselines/*.toml"),
    "archive": archives,
    "audio": sounds,
    "part": results("scores/**/*.parquet"),
    "separations": results("separations/**/*.parquet"),
    "run": results("runs/*/run.json"),
}
