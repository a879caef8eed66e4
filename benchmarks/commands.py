"""The commands that faults disturb: their input, their words, and what they leave behind.

Shared by `benchmarks.command_kills` and the table in ``tests/faults``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from benchbench.results.store import Results
from benchmarks.kills import RATE, command, songs

WEIGHTS = bytes(range(256)) * 400
VOLATILE = re.compile(r"\d{8}T?-?\d{6}[\w.-]*|runs/[^/]+|tfevents[\w.-]*")
COMPACTED = re.compile(r"(?<=/compacted-)\d+-\w+")

ADAPTER = """
name = "{name}"
summary = "a test's separator"
default_variant = "plain"
[licence]
code = "MIT"
[variants.plain]
stems = ["vocals", "accompaniment"]
"""
PROGRAM = """
import time
class Adapter:
    def load(self, variant, weights, device, options):
        self.stems = ("vocals", "accompaniment")
    def separate(self, mixture, sample_rate):
        time.sleep({seconds})
        return {{stem: mixture / 2 for stem in self.stems}}
"""
DATASET = """
name = "fetched"
summary = "a test's songs"
layout = "folders"
stems = ["vocals", "drums", "bass", "other"]
[licence]
name = "CC-BY-4.0"
notice = "A test's songs."
[[downloads]]
url = "{url}/songs.tar.gz"
sha256 = "{sha256}"
inner = "songs"
"""


@dataclass(frozen=True)
class Command:
    """A command of the table.

    Parameters
    ----------
    name
        Its row in the table.
    words
        The words after ``bench``; the working directory holds the input.
    writes
        The folder that it writes into, relative to the working directory.
    content
        What it has written, as values that can be compared; random names and times left out.
    network
        Whether it fetches something.
    full
        The exit code when its disk is full; 2 unless another program writes for it.
    """

    name: str
    words: tuple[str, ...]
    writes: str
    content: Callable[[Path], Any]
    network: bool = False
    full: int = 2


def samples(place: Path) -> dict[str, str]:
    """The stems of a folder; the headers of WAV files hold the time of writing."""
    return {
        path.relative_to(place).as_posix(): hashlib.sha256(soundfile.read(path)[0].tobytes()).hexdigest()
        for path in sorted((place / "out").rglob("*.wav"))
    }  # fmt: skip


def rows(place: Path) -> list[Any]:
    """The score rows of the results, whoever computed them."""
    table = Results(place / "results").scores().drop_columns(["run_id", "cell_id"])
    return sorted(map(repr, table.to_pylist()))


def table_rows(path: Path) -> list[str]:
    table: pa.Table = pq.read_table(path)
    return sorted(map(repr, table.to_pylist()))


def page(place: Path) -> tuple[str, bool]:
    text = (place / "out" / "report.html").read_text(encoding="utf-8")
    return text[:15], text.rstrip().endswith("</html>")


def weights(place: Path) -> list[bytes]:
    return [path.read_bytes() for path in (place / "cache" / "weights").rglob("*.bin")]


def environment(place: Path) -> Any:
    (record,) = (place / "cache" / "environments").glob("*/environment.json")
    facts = json.loads(record.read_text(encoding="utf-8"))
    return sorted(facts["packages"]), (record.parent / "bin" / "python").exists()


def arrays(path: Path) -> dict[str, str]:
    """The arrays of a safetensors file, whatever the notes in its header say."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    return {
        name: hashlib.sha256(content[start + first : start + last]).hexdigest()
        for name, entry in header.items()
        for first, last in [entry["data_offsets"]]
    }


def adapted(place: Path) -> Any:
    manifest = tomllib.loads((place / "out" / "guitar" / "adapter.toml").read_text("utf-8"))
    manifest.pop("weights")  # the file's hash follows from its arrays and notes
    return manifest, arrays(place / "out" / "guitar" / "weights" / "zipformer.safetensors")


def pretrained(place: Path) -> Any:
    history = json.loads((place / "out" / "run" / "history.json").read_text("utf-8"))
    steps = [(line["step"], line["loss"], line["scores"]) for line in history]
    return steps, arrays(place / "out" / "run" / "weights" / "zipformer.safetensors")


def bundle(place: Path) -> Any:
    manifest = json.loads((place / "out" / "bundle" / "bundle.json").read_text("utf-8"))
    manifest.pop("created")
    return manifest


def fetched_songs(place: Path) -> int:
    return len(list((place / "cache" / "datasets").rglob("*.wav")))


COMMANDS = (
    Command(
        "separate",
        ("separate", "inputs/song-0.wav", "inputs/song-1.wav", "--model", "mixture", "--out", "out"),
        "out",
        samples,
    ),
    Command(
        "score",
        ("score", "--references", "songs", "--estimates", "estimates", "--metrics", "usdr",
         "--format", "csv", "--out", "out/scores.csv"),
        "out",
        lambda place: (place / "out" / "scores.csv").read_text(),
    ),
    Command(
        "train",
        ("train", "wiener", "--dataset", "folder", "--root", "songs", "--out", "out"),
        "out",
        lambda place: {k: v.tobytes() for k, v in np.load(place / "out" / "profile.npz").items()},
    ),
    Command(
        "pretrain",
        ("train", "zipformer:tiny", "--songs", "music", "--option", "recipe=pretrain",
         "--option", "steps=2", "--option", "validate_every=2", "--option", "save_every=1",
         "--option", "batch_size=1", "--option", "frames=16", "--option", "clusters=2",
         "--out", "out/run"),
        "out",
        pretrained,
    ),
    Command(
        "adapt",
        ("adapt", "zipformer:tiny", "--examples", "examples", "--stem", "guitar",
         "--option", "steps=2", "--out", "out/guitar"),
        "out",
        adapted,
    ),
    Command(
        "install (environment)",
        ("install", "apart", "--adapter-path", "adapters"),
        "cache",
        environment,
        network=True,
        full=4,
    ),
    Command(
        "install (weights)",
        ("install", "weighty", "--adapter-path", "adapters"),
        "cache",
        weights,
        network=True,
    ),
    Command("install (data set)", ("install", "fetched"), "cache", fetched_songs, network=True),
    Command(
        "import",
        ("import", "benchbench", "theirs", "--source", "lab", "--licence", "CC-BY-4.0"),
        "results",
        rows,
    ),
    Command(
        "export",
        ("export", "csv", "--out", "out/scores.csv", "--protocol", "usdr"),
        "out",
        lambda place: (place / "out" / "scores.csv").read_text(),
    ),
    Command("submit", ("submit", "results", "--out", "out/bundle"), "out", bundle),
    Command("report", ("report", "results", "--out", "out/report.html"), "out", page),
    Command("compact", ("compact", "results"), "results", rows),
    Command(
        "gate --accept",
        ("gate", "--baseline", "out/base.parquet", "--accept"),
        "out",
        lambda place: table_rows(place / "out" / "base.parquet"),
    ),
)  # fmt: skip


class Server(ThreadingHTTPServer):
    """Serves the archive of the data set and the weights; with `lies`, their bytes in reverse."""

    archive: bytes = b""
    lies: bool = False

    @property
    def address(self) -> str:
        """The address of its root."""
        return f"http://127.0.0.1:{self.server_port}"


class _Files(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = WEIGHTS if self.path.startswith("/weights/") else self.server.archive
        content = content[::-1] if self.server.lies else content
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    """A server on this machine."""
    with Server(("127.0.0.1", 0), _Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def unlabelled(place: Path) -> None:
    """A minute of music without stems, and two songs in which a guitar is known."""
    rng = np.random.default_rng(0)
    (place / "music").mkdir()
    soundfile.write(place / "music" / "minute.flac", 0.1 * rng.standard_normal(61 * RATE), RATE)
    clock = np.arange(3 * RATE) / RATE
    for number in range(2):
        folder = place / "examples" / f"song-{number}"
        folder.mkdir(parents=True)
        guitar = np.outer(0.1 * np.sin(2 * np.pi * 220.0 * (number + 1) * clock), [1.0, 1.0])
        mixture = guitar + 0.05 * rng.standard_normal(guitar.shape)
        for name, audio in (("guitar", guitar), ("mixture", mixture)):
            soundfile.write(folder / f"{name}.wav", audio, RATE, "FLOAT")


def prepare(place: Path, server: Server) -> None:
    """Write the input of every command into a folder."""
    songs(place / "songs", 2, 0.5)
    (place / "inputs").mkdir()
    for name in ("song-0", "song-1"):
        (place / "estimates" / name).mkdir(parents=True)
        mixture = 0.0
        for path in sorted((place / "songs" / name).iterdir()):
            audio, _ = soundfile.read(path)
            soundfile.write(place / "estimates" / name / path.name, audio / 2, RATE, "FLOAT")
            mixture = mixture + audio
        soundfile.write(place / "inputs" / f"{name}.wav", mixture, RATE, "FLOAT")
    words = command(place / "songs", place / "results", 1)
    subprocess.run(words, check=True, capture_output=True)
    shutil.copytree(place / "results", place / "theirs")
    for folder in ("out", "cache", "tmp"):
        (place / folder).mkdir()
    unlabelled(place)
    sha = hashlib.sha256(WEIGHTS).hexdigest()
    runtime = '[runtime]\ninterpreter = "same"\n'
    fetched = (
        f'weights = "w"\n[weights.w]\nfiles = [{{name = "x.bin", sha256 = "{sha}"}}]\n'
        f'[[weights.w.sources]]\nurl = "{server.address}/weights/"\n'
    )
    for name, rest in (("apart", runtime), ("weighty", fetched), ("slow", "")):
        folder = place / "adapters" / name
        folder.mkdir(parents=True)
        (folder / "adapter.toml").write_text(ADAPTER.format(name=name) + rest)
        (folder / "adapter.py").write_text(PROGRAM.format(seconds=2))
    archive = place / "songs.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(place / "songs", "songs")
    folder = place / "datasets" / "fetched"
    folder.mkdir(parents=True)
    server.archive = archive.read_bytes()
    digest = hashlib.sha256(server.archive).hexdigest()
    (folder / "dataset.toml").write_text(DATASET.format(url=server.address, sha256=digest))


def left(place: Path) -> set[str]:
    """The names of all files that a command may have left, without what differs in each run.

    A compacted part is named after the parts it was made of, so a compaction that goes on after a
    kill gives it another name; that a folder holds only one of them is kept.
    """
    found: set[str] = set()
    for folder in ("out", "cache", "tmp", "results"):
        for path in (place / folder).rglob("*"):
            name = path.relative_to(place).as_posix()
            if path.is_file() and not re.search(r"environments/\w+/|__pycache__|\.lock$", name):
                plain = COMPACTED.sub("*", VOLATILE.sub("*", name))
                while COMPACTED.search(name) and plain in found:
                    plain += " again"
                found.add(plain)
    return found
