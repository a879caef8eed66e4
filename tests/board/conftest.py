"""A real run of a few models on three songs, its bundle, and ways to change a bundle."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import soundfile

import benchbench
from benchbench.io.hashing import digest
from benchbench.results.bundle.manifest import MANIFEST, BundleFile, BundleManifest, read_manifest
from benchbench.results.parquet_parts import write_parts
from benchbench.results.schema import PARTITIONED_BY, SCORES, SEPARATIONS
from benchbench.results.store import Results
from benchbench.scoring.submission.findings import CheckResult
from benchbench.scoring.submission.process import Task
from benchbench.scoring.submission.rules import BoardRules
from benchbench.scoring.submission.worker import checked

RATE, SECONDS = 22_050, 5
MODELS = "irm,mixture,silence,mid-side"


def write_songs(root: Path, tracks: int = 3) -> Path:
    """Songs whose voice is in the middle and whose other stems are at the sides."""
    for number in range(tracks):
        rng = np.random.default_rng(number)
        time = np.arange(RATE * SECONDS) / RATE
        voice = np.sin(2 * np.pi * (220 + 5 * np.sin(2 * np.pi * 5 * time)) * time)
        voice *= 0.15 * (1 + np.sin(2 * np.pi * time / 3)) / 2
        stems = {"vocals": np.stack([voice, voice], 1)}
        for place, stem in enumerate(("drums", "bass", "other")):
            noise = rng.standard_normal((len(time), 2))
            kernel = np.ones(2 + 19 * place) / (2 + 19 * place)
            noise = np.apply_along_axis(np.convolve, 0, noise, kernel, "same")
            stems[stem] = 0.01 * (place + 1) * noise / noise.std()
        for stem, audio in stems.items():
            path = root / f"song {number}" / f"{stem}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, audio + 1e-4 * rng.standard_normal(audio.shape), RATE, "FLOAT")
    return root


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run with kept stems."""
    root = tmp_path_factory.mktemp("run")
    benchbench.run(
        MODELS,
        "folder",
        root=write_songs(root / "songs"),
        metrics="usdr,si,windows,bsseval-v4",
        out=root / "results",
        keep_stems="yes",
        report=False,
        command=[
            "bench",
            "run",
            "--root",
            "/data/ada-lovelace/songs",
            "--option",
            "token=zqcanary",
        ],
    )
    return root / "results"


@pytest.fixture(scope="session")
def whole(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with excerpts of two tracks that are the whole tracks."""
    return benchbench.submit(
        results, tmp_path_factory.mktemp("whole") / "bundle", submitter="Ada", excerpts=2
    )


@dataclass
class Bundle:
    """A copy of a bundle that a test may change."""

    folder: Path

    @property
    def manifest(self) -> BundleManifest:
        return read_manifest(self.folder)

    def change_scores(self, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Replace every score row; None leaves it out. The bundle is sealed again."""
        for path in (self.folder / "scores").rglob("*.parquet"):
            self._rewrite(path, SCORES, PARTITIONED_BY, change)
        self.seal()

    def change_separations(self, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        for path in (self.folder / "separations").rglob("*.parquet"):
            self._rewrite(path, SEPARATIONS, (), change)
        self.seal()

    @staticmethod
    def _rewrite(path: Path, schema: pa.Schema, text: tuple[str, ...], change: Any) -> None:
        from benchbench.results.parquet_parts import read_part

        rows = [change(dict(row)) for row in read_part(path, schema).to_pylist()]
        table = pa.Table.from_pylist([row for row in rows if row is not None], schema)
        with path.open("wb") as file:
            write_parts([table], schema, file, text)

    def seal(self, **changes: Any) -> None:
        """Write the manifest with the hashes of the files as they are now."""
        files = tuple(
            BundleFile(path.relative_to(self.folder).as_posix(), path.stat().st_size, digest(path))
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.parent != self.folder
        )
        manifest = msgspec.structs.replace(self.manifest, files=files, **changes)
        (self.folder / MANIFEST).write_bytes(manifest.encoded())

    def add_model(self, source: str, name: str, **hashes: str) -> None:
        """A second model with the rows of the first, under other identifiers."""
        store = Results(self.folder)
        rows = [
            row | {"model": name, "cell_id": f"x{row['cell_id']}",
                   "separation_id": f"x{row['separation_id']}"}
            for row in store.scores().to_pylist() if row["model"] == source
        ]  # fmt: skip
        place = store.scores_path("x", name, self.manifest.dataset).parent
        place.mkdir(parents=True)
        with (place / "compacted-000001-aa.parquet").open("wb") as file:
            write_parts([pa.Table.from_pylist(rows, SCORES)], SCORES, file, PARTITIONED_BY)
        own = [row for row in store.separations().to_pylist() if row["model"] == source]
        for row in own:
            row |= {"model": name, "separation_id": f"x{row['separation_id']}", **hashes}
        with (self.folder / "separations" / "compacted-000002-aa.parquet").open("wb") as file:
            write_parts([pa.Table.from_pylist(own, SEPARATIONS)], SEPARATIONS, file)
        (model,) = (one for one in self.manifest.models if one.name == source)
        other = msgspec.structs.replace(model, name=name, **hashes)
        self.seal(models=(*self.manifest.models, other))

    def check(self, rules: BoardRules | None = None, **more: Any) -> CheckResult:
        """Check it in this process, which is quicker than the real one."""
        scratch = self.folder.with_name("unpacked")
        scratch.mkdir(exist_ok=True)
        paths = {"board": None, "signers": None, **{key: str(path) for key, path in more.items()}}
        return checked(
            Task(
                str(self.folder),
                str(scratch),
                rules or BoardRules(),
                **paths,
                seconds=60,
                caller=os.getpid(),
            )
        )


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Bundle:
    """A copy of the bundle."""
    shutil.copytree(whole, tmp_path / "bundle")
    return Bundle(tmp_path / "bundle")


def messages(result: CheckResult, status: str, check: str) -> list[str]:
    """What the findings of one check and status say."""
    return [
        f"{one.subject}: {one.message}"
        for one in result.findings
        if (one.status, one.check) == (status, check)
    ]
