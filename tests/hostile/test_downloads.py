"""Malicious servers and archives, and scratch folders of other containers."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchbench.errors import OutputError, WeightsError
from benchbench.io import archive_bounds, download_attempt
from benchbench.io.archive import extract
from benchbench.io.download import fetch
from benchbench.io.processes.scratch import scratch_folder

CONTENT = bytes(range(256)) * 2000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Liar(BaseHTTPRequestHandler):
    """Answers as its path says."""

    def __init__(self, asked: list[tuple[str, dict[str, str]]], *args: Any) -> None:
        self.asked = asked
        super().__init__(*args)

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        name = self.path.strip("/").partition("?")[0].replace("-", "_")
        try:
            getattr(self, f"say_{name}", lambda: self.send_error(404))()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def begin(self, code: int, **headers: object) -> None:
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), str(value))
        self.end_headers()

    def say_endless(self) -> None:
        self.begin(200)
        while True:
            self.wfile.write(bytes(1 << 16))

    def say_too_long(self) -> None:
        self.begin(200, Content_Length=1 << 40)
        self.wfile.write(bytes(1 << 16))

    def say_short(self) -> None:
        self.begin(200, Content_Length=len(CONTENT) + 5)
        self.wfile.write(CONTENT)
        self.close_connection = True

    def say_slow(self) -> None:
        self.begin(200, Content_Length=len(CONTENT))
        for _ in range(100):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def say_busy(self) -> None:
        if len(self.asked) < 3:
            self.begin(429, Retry_After=0, Content_Length=0)
        else:
            self.begin(200, Content_Length=len(CONTENT))
            self.wfile.write(CONTENT)

    def say_ftp(self) -> None:
        self.begin(302, Location="ftp://127.0.0.1/x", Content_Length=0)

    def say_file(self) -> None:
        self.begin(302, Location="file:///etc/passwd", Content_Length=0)

    def say_round(self) -> None:
        self.begin(302, Location="/round", Content_Length=0)

    def say_bomb(self) -> None:
        packed = gzip.compress(bytes(50_000_000))
        self.begin(200, Content_Encoding="gzip", Content_Length=len(packed))
        self.wfile.write(packed)

    def say_changed(self) -> None:
        """Another file than the one whose beginning was fetched."""
        if "Range" in self.headers and self.headers.get("If-Range") == '"new"':
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            self.begin(
                206, ETag='"new"', Content_Range=f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            )
            self.wfile.write(CONTENT[start:])
        else:
            self.begin(200, ETag='"new"', Content_Length=len(CONTENT))
            self.wfile.write(CONTENT)

    def say_other_range(self) -> None:
        if "Range" in self.headers:
            self.begin(206, Content_Range=f"bytes 0-9/{len(CONTENT)}", Content_Length=10)
            self.wfile.write(CONTENT[:10])
        else:
            self.begin(200, Content_Length=len(CONTENT))
            self.wfile.write(CONTENT)

    def say_no_ranges(self) -> None:
        if "Range" in self.headers:
            self.begin(416, Content_Length=0)
        else:
            self.begin(200, Content_Length=len(CONTENT))
            self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def liar() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    asked: list[tuple[str, dict[str, str]]] = []
    http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Liar, asked))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}", asked
    http.shutdown()
    http.server_close()
    thread.join()


Server = tuple[str, list[tuple[str, dict[str, str]]]]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("endless", "longer than the"),
        ("too-long", "far more than"),
        ("short", "closed connection|connection ended"),
        ("ftp", "ftp:"),
        ("file", "file:"),
        ("round", "redirect"),
        ("nothing", "404"),
    ],
)
def test_a_server_that_lies_is_one_error(
    path: str, words: str, liar: Server, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=words) as caught:
        fetch(f"{liar[0]}/{path}", tmp_path / "x", size=100_000, pause=0.01)
    assert "Traceback" not in str(caught.value)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 3_000_000
    assert not (tmp_path / "x").exists()


def test_a_server_that_drips_is_given_up(
    liar: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_attempt, "WINDOW_S", 0.2)
    monkeypatch.setattr(download_attempt, "LEAST_SPEED", 10_000.0)
    with pytest.raises(WeightsError, match="bytes per second"):
        fetch(f"{liar[0]}/slow", tmp_path / "x", pause=0.01)
    assert len(liar[1]) == 4


def test_too_many_requests_are_tried_again(liar: Server, tmp_path: Path) -> None:
    fetch(f"{liar[0]}/busy", tmp_path / "x", sha256=SHA, pause=0.01)
    assert len(liar[1]) == 3


def test_what_is_compressed_on_the_way_is_not_unpacked(liar: Server, tmp_path: Path) -> None:
    fetch(f"{liar[0]}/bomb", tmp_path / "x", size=200_000)
    assert (tmp_path / "x").stat().st_size < 200_000


@pytest.mark.parametrize("path", ["changed", "other-range", "no-ranges"])
@pytest.mark.parametrize("checked", [True, False])
def test_only_the_same_file_is_continued(
    path: str, checked: bool, liar: Server, tmp_path: Path
) -> None:
    url = f"{liar[0]}/{path}"
    expected = [("sha256", SHA)] if checked else []
    key = hashlib.sha256(repr((url, expected)).encode()).hexdigest()[:12]
    part = tmp_path / f"x.{key}.part"
    part.write_bytes(b"of another file" * 10)
    Path(f"{part}.json").write_text(
        f'{{"url": "{url.partition("//")[2]}", "validator": "\\"old\\""}}'
    )
    try:
        fetch(url, tmp_path / "x", sha256=SHA if checked else None, pause=0.01)
    except WeightsError:
        assert checked  # the hash of a mixture of two files is wrong, and it is deleted
        assert not part.exists()
        return
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_two_variants_whose_files_have_one_name_share_no_part(liar: Server, tmp_path: Path) -> None:
    for path in ("short", "changed"):
        try:
            fetch(f"{liar[0]}/{path}", tmp_path / "weights.bin", pause=0.01)
        except WeightsError:
            assert path == "short"
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_user_password_and_query_are_never_printed(liar: Server, tmp_path: Path) -> None:
    address = liar[0].replace("//", "//me:zqcanary@")
    with pytest.raises(WeightsError) as caught:
        fetch(f"{address}/nothing?sig=zqcanary", tmp_path / "x", pause=0.01)
    assert "zqcanary" not in str(caught.value)


def test_a_dead_proxy_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://u:zqcanary@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(WeightsError, match="cannot be fetched") as caught:
        fetch("http://example.invalid/x", tmp_path / "x", pause=0.01)
    assert "zqcanary" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux")
def test_a_full_cache_is_said(liar: Server, tmp_path: Path) -> None:
    url = f"{liar[0]}/changed"
    key = hashlib.sha256(repr((url, [])).encode()).hexdigest()[:12]
    (tmp_path / f"x.{key}.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        fetch(url, tmp_path / "x", pause=0.01)


def tar(path: Path, *entries: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(content), "x"
            file.addfile(entry, io.BytesIO(content))
    return path


def zipped(path: Path, *entries: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(zipfile.ZipInfo(name) if name.endswith("x") else name, content)
    return path


def lying_zip(path: Path) -> Path:
    """A member that says it has 10 bytes and unpacks to 100 MB."""
    zipped(path, ("a", bytes(100_000_000)))
    content = path.read_bytes().replace(
        (100_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    )
    path.write_bytes(content)
    return path


ARCHIVES: dict[str, Callable[[Path], Path]] = {
    "a bomb in a zip": lambda p: zipped(p, ("a", bytes(100_000_000))),
    "a bomb in a tar": lambda p: tar(p, ("a", bytes(100_000_000))),
    "a zip that lies on its size": lying_zip,
    "the same name twice": lambda p: tar(p, ("a", b"1"), ("a", b"2")),
    "names that differ in case only": lambda p: tar(p, ("a/B", b"1"), ("A/b", b"2")),
    "a name of Windows's devices": lambda p: tar(p, ("a/NUL.txt", b"1")),
    "a drive": lambda p: tar(p, ("C:/x", b"1")),
    "a stream of NTFS": lambda p: tar(p, ("a:b", b"1")),
    "a name that ends in a dot": lambda p: tar(p, ("a./b", b"1")),
    "a control character": lambda p: tar(p, ("a\x1b[2J", b"1")),
    "text from right to left": lambda p: tar(p, ("a\u202eb", b"1")),
    "a hundred folders deep": lambda p: tar(p, ("a/" * 100 + "b", b"1")),
    "a name of 5,000 letters": lambda p: tar(p, ("a" * 5000, b"1")),
    "a link": lambda p: tar(p, ("a", b""), kind=tarfile.SYMTYPE),
    "a hard link": lambda p: tar(p, ("a", b""), kind=tarfile.LNKTYPE),
    "a pipe": lambda p: tar(p, ("a", b""), kind=tarfile.FIFOTYPE),
    "a device": lambda p: tar(p, ("a", b""), kind=tarfile.CHRTYPE),
    "a file where a folder belongs": lambda p: tar(p, ("a", b"1"), ("a/b", b"2")),
    "backslashes": lambda p: tar(p, ("..\\x", b"1")),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_refused(name: str, tmp_path: Path) -> None:
    archive = ARCHIVES[name](tmp_path / "archive")
    target = tmp_path / "inside" / "target"
    target.mkdir(parents=True)
    with pytest.raises(WeightsError):
        extract(archive, target)
    assert sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) < 150_000_000
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "inside"}
    assert [path.name for path in (tmp_path / "inside").iterdir()] == ["target"]


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_bounds, "MOST_MEMBERS", 100)
    archive = tar(tmp_path / "archive", *((f"a{n}", b"") for n in range(101)))
    with pytest.raises(WeightsError, match="more than 100 members"):
        extract(archive, tmp_path)


def test_names_of_real_data_sets_are_unpacked(tmp_path: Path) -> None:
    names = [
        "musdb/train/A Classic Education - NightOwl/vocals.wav", "AM Contra - Heart/mix.wav",
        "Bj\u00f6rk/e\u0301.wav", "Don't (Stop) [Live] & more!/drums.flac", ".hidden/x", "a+b=c,d;e/@f.wav",
        "\u66f2/\u0431.wav",
    ]  # fmt: skip
    target = tmp_path / "target"
    target.mkdir()
    assert extract(tar(tmp_path / "a", *((name, b"x") for name in names)), target) == names


HOLD = """
import os, sys, time
from benchbench.io.processes.scratch import scratch_folder
with scratch_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_live_scratch_of_another_container_stays_and_that_of_the_dead_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's process numbers mean nothing here: the folder is called by one nobody has."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    program = HOLD.replace("import os,", "import os; os.getpid = lambda: 4_000_000\nimport os,")
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert other.stdout is not None
    theirs = Path(other.stdout.readline().strip())
    assert "benchbench-4000000-" in theirs.name
    old = tmp_path / "benchbench-1-old"
    old.mkdir()
    os.utime(old, (1, 1))
    fresh = tmp_path / "benchbench-1-fresh"
    fresh.mkdir()
    with scratch_folder() as ours:
        assert theirs.is_dir()
        assert not old.exists()
        assert fresh.exists()
        other.kill()
        other.communicate()
        with scratch_folder():
            assert not theirs.exists()
            assert ours.is_dir()
