"""Coverage-guided fuzzing of everything that reads a stranger's file.

::

    tox -e fuzz -- archive -max_total_time=600
    tox -e fuzz -- part -max_total_time=600 corpus/

The targets: adapter, dataset, gate, archive, audio, part, separations, run. Each begins with real
files, which `seeds` makes; what a corpus of your own holds comes first. An exception that is not meant for
the reader is a finding; libFuzzer writes the input that caused it.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["benchbench", "tarfile", "tomllib", "zipfile"]):
    from benchbench.comparison.gate.config import read_gate_config
    from benchbench.errors import BenchbenchError
    from benchbench.io.archive import extract
    from benchbench.io.audio.audio_files import read
    from benchbench.plugins.manifest import read_adapter, read_dataset
    from benchbench.results.integrity import damaged_parts, damaged_runs

PLACE = Path(tempfile.mkdtemp(prefix="fuzz-"))


def reading(name: str, action: Callable[[Path], Any]) -> Callable[[bytes], None]:
    """A target: the input as a file of that name, handed to the action."""
    path = PLACE / name
    path.parent.mkdir(parents=True, exist_ok=True)

    def target(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(BenchbenchError):
            action(path)

    return target


def unpack(path: Path) -> None:
    """Unpack into a folder that is new each time."""
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        target = Path(folder) / "target"
        target.mkdir()
        extract(path, target)


TARGETS = {
    "adapter": reading("adapter.toml", read_adapter),
    "dataset": reading("dataset.toml", read_dataset),
    "gate": reading("gate.toml", read_gate_config),
    "archive": reading("archive", unpack),
    "audio": reading("sound.wav", read),
    "part": reading(
        "scores/model=m/dataset=d/c.parquet", lambda _: list(damaged_parts(PLACE, "scores"))
    ),
    "separations": reading(
        "separations/c.parquet", lambda _: list(damaged_parts(PLACE, "separations"))
    ),
    "run": reading("runs/r/run.json", lambda _: list(damaged_runs(PLACE))),
}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.fuzz.seeds import write_seeds

    name = sys.argv.pop(1)
    seeds = Path(tempfile.mkdtemp(prefix="seeds-")) / name
    print(f"{write_seeds(name, seeds)} seeds in {seeds}")
    own = [word for word in sys.argv[1:] if not word.startswith("-")]
    found = [] if own else [tempfile.mkdtemp(prefix=f"corpus-{name}-")]  # what it adds goes there
    atheris.ModelSetup([*sys.argv, *found, str(seeds)], TARGETS[name])
    atheris.Fuzz()
