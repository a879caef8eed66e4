"""The songs of `rendered`, rendered on this machine from soundfonts, recordings and speech.

This file is loaded by its path, so it imports its package `studio` under a
private name. Run as a program it renders a share of the songs: ``prepare``
starts one process per core.
"""

import importlib
import importlib.util
import os
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType
from typing import IO

import numpy as np
import numpy.typing as npt

from benchbench.errors import UsageError
from benchbench.separation.workers.process_tree import ProcessTree

__all__ = ["SAMPLE_RATE", "SONGS", "VERSION", "prepare", "render_song"]

_FOLDER = Path(__file__).resolve().parent / "studio"
_PACKAGE = f"_studio_{zlib.crc32(str(_FOLDER).encode()):08x}"
_MODULES = ("mido", "pyworld")
_MOST_PROCESSES = 8


def _studio(module: str) -> ModuleType:
    """Import a module of the package beside this file."""
    if _PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            _PACKAGE, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"the studio's package is not at {_FOLDER}; reinstall benchbench")
        package = importlib.util.module_from_spec(spec)
        sys.modules[_PACKAGE] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{_PACKAGE}.{module}")


_plan = _studio("plan")
_orders = {order.name: order for order in _plan.orders()}

VERSION: int = _plan.VERSION
SONGS: tuple[str, ...] = tuple(_orders)
"""Names, safe as folder names, in the order of rendering."""

SAMPLE_RATE = 44100


def render_song(name: str) -> dict[str, npt.NDArray[np.int16]]:
    """Render one song's stems; the same name gives the same music with the same packages.

    Returns
    -------
    dict of str to ndarray
        int16 (2, samples) at SAMPLE_RATE: drums, bass, other and vocals, or accompaniment and
        vocals for songs over released music; their sum is the mixture.

    Raises
    ------
    KeyError
        If there is no such song.
    UsageError
        If a package is missing; the message names it.
    """
    if name not in _orders:
        raise KeyError(f"no song {name!r}; there are {SONGS[0]}, {SONGS[1]} ... ({len(SONGS)})")
    _require_packages()
    stems: dict[str, npt.NDArray[np.int16]] = _studio("songs").render(_orders[name])
    return stems


def prepare(folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
    """Write every song as ``<split>/<song>/<stem>.flac``, 16 bit, into `folder`.

    Songs for validation are in the folder of those for training, as `dataset.toml` lists them.

    Raises
    ------
    UsageError
        If a package is missing, or a song cannot be rendered.
    """
    _require_packages()
    count = min(os.cpu_count() or 1, _MOST_PROCESSES)
    workers = [_worker(folder, share, count) for share in range(count)]
    lines: SimpleQueue[str | None] = SimpleQueue()
    for worker in workers:
        worker.stdin.close()
        threading.Thread(target=_forward, args=(worker.stdout, lines, True), daemon=True).start()
        threading.Thread(target=_forward, args=(worker.stderr, lines, False), daemon=True).start()
    made, running, said = 0, count, ""
    try:
        while running:
            line = lines.get()
            if line is None:
                running -= 1
            elif line in _orders:
                made += 1
                tell(f"Song {made} of {len(SONGS)}: {line}")
            else:
                said = line or said
    finally:
        for worker in workers:
            worker.end()
    if made < len(SONGS):
        raise UsageError(
            f"Only {made} of {len(SONGS)} songs could be made: {said}",
            hint="Does `fluidsynth` run, and is there room on the disk (about 3.5 GB)?",
        )


def _require_packages() -> None:
    materials = _studio("materials")
    modules = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    packages = materials.missing()
    if modules or packages:
        ways = [f"apt-get install {' '.join(packages)}"] if packages else []
        ways += ["pip install 'benchbench-audio[rendered]'"] if modules else []
        raise UsageError(
            f"The data set rendered is made from packages that are not here: {', '.join([*packages, *modules])}.",
            hint=f"On Debian: `{'` and `'.join(ways)}`.",
        )


def _worker(folder: Path, share: int, count: int) -> ProcessTree:
    """A process that renders a share of the songs; it ends with this process."""
    single = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return ProcessTree(
        [sys.executable, str(Path(__file__).resolve()), str(folder), str(share), str(count)],
        {**os.environ, **single, "PYTHONPATH": path},
    )


def _forward(stream: IO[bytes], lines: "SimpleQueue[str | None]", mark_end: bool) -> None:
    with stream:
        for line in stream:
            lines.put(line.decode("utf-8", "replace").strip())
    if mark_end:
        lines.put(None)


def _make_share(folder: Path, share: int, count: int) -> None:
    """Render every `count`-th song from the `share`-th on and print its name."""
    import soundfile

    for name in SONGS[share::count]:
        split = "test" if _orders[name].split == "test" else "train"
        target = folder / split / name
        target.mkdir(parents=True)
        for stem, audio in render_song(name).items():
            soundfile.write(target / f"{stem}.flac", audio.T, SAMPLE_RATE, subtype="PCM_16")
        print(name, flush=True)


if __name__ == "__main__":
    _make_share(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
