from __future__ import annotations

import functools
import hashlib
import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchbench.api.install import install
from benchbench.errors import WeightsError
from benchbench.io.download import fetch
from benchbench.plugins.catalog import Catalog
from benchbench.separation.weights import ensure_weights

CONTENT = bytes(range(256)) * 4096


@dataclass
class Server:
    """A local server with files, faults and a record of what was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    fail_first: int = 0
    cut_at: int | None = None
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    def __init__(self, server_state: Server, *args: object) -> None:
        self.state = server_state
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.state.requests.append((self.path, wanted))
        if self.state.fail_first > 0:
            self.state.fail_first -= 1
            self.send_error(503)
            return
        content = self.state.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if wanted and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if self.path.endswith("/"):
            self.send_header("Content-Type", "text/html")
        self.end_headers()
        if self.state.cut_at is not None:
            self.wfile.write(content[start : self.state.cut_at])
            self.state.cut_at = None
            self.connection.close()
        else:
            self.wfile.write(content[start:])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(files={"/file": CONTENT})
    http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, state))
    state.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


SHA = hashlib.sha256(CONTENT).hexdigest()


def part_of(url: str, folder: Path) -> Path:
    """Where an interrupted download of ``file`` leaves what has arrived."""
    key = hashlib.sha256(repr((url, [("sha256", SHA)])).encode()).hexdigest()[:12]
    return folder / f"file.{key}.part"


def test_fetches_checks_and_then_leaves_the_network_alone(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file"
    seen: list[int] = []
    fetch(f"{server.address}/file", target, sha256=SHA, progress=lambda n, _: seen.append(n))
    assert target.read_bytes() == CONTENT
    assert seen[-1] == len(CONTENT)
    fetch(f"{server.address}/file", target, sha256=SHA)
    assert len(server.requests) == 1


def test_a_broken_connection_is_continued_where_it_ended(server: Server, tmp_path: Path) -> None:
    server.cut_at = 300_000
    fetch(f"{server.address}/file", tmp_path / "file", sha256=SHA, pause=0.01)
    assert (tmp_path / "file").read_bytes() == CONTENT
    first, second = server.requests
    assert first[1] is None
    assert second[1] is not None
    assert 0 < int(second[1].removeprefix("bytes=").rstrip("-")) <= 300_000


def test_a_part_left_by_a_killed_process_is_continued(server: Server, tmp_path: Path) -> None:
    part_of(f"{server.address}/file", tmp_path).write_bytes(CONTENT[:1000])
    fetch(f"{server.address}/file", tmp_path / "file", sha256=SHA)
    assert server.requests == [("/file", "bytes=1000-")]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_whole_part_needs_no_more_bytes(server: Server, tmp_path: Path) -> None:
    part_of(f"{server.address}/file", tmp_path).write_bytes(CONTENT)
    fetch(f"{server.address}/file", tmp_path / "file", sha256=SHA)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_server_errors_are_tried_again_but_not_404(server: Server, tmp_path: Path) -> None:
    server.fail_first = 2
    fetch(f"{server.address}/file", tmp_path / "file", sha256=SHA, pause=0.01)
    assert len(server.requests) == 3
    with pytest.raises(WeightsError, match="404"):
        fetch(f"{server.address}/nothing", tmp_path / "nothing", pause=0.01)
    assert len(server.requests) == 4


def test_a_wrong_hash_is_kept_out_and_both_are_named(server: Server, tmp_path: Path) -> None:
    wrong = "0" * 64
    with pytest.raises(WeightsError) as caught:
        fetch(f"{server.address}/file", tmp_path / "file", sha256=wrong)
    assert SHA in str(caught.value)
    assert wrong in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def toy_with_weights(tmp_path: Path, sources: str, sha: str = SHA) -> Catalog:
    folder = tmp_path / "plugins" / "toy"
    folder.mkdir(parents=True)
    (folder / "adapter.toml").write_text(
        f"""
name = "toy"
summary = "a toy"
default_variant = "a"
[licence]
code = "MIT"
[variants.a]
stems = ["vocals"]
weights = "w"
[weights.w]
files = [{{ name = "net.bin", sha256 = "{sha}" }}]
{sources}
"""
    )
    return Catalog((tmp_path / "plugins",))


def source(url: str, inner: str = "") -> str:
    return f'[[weights.w.sources]]\nurl = "{url}"\ninner = "{inner}"\n'


def tar_with(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_weights_come_from_the_first_source_that_works(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    server.files["/w.tar.gz"] = tar_with("inner/net.bin", CONTENT)
    sources = source(f"{server.address}/gone.tar.gz") + source(
        f"{server.address}/w.tar.gz", "inner"
    )
    model = toy_with_weights(tmp_path, sources).model("toy")
    told: list[str] = []
    folder = ensure_weights(model, tell=told.append)
    assert folder is not None
    assert (folder / "net.bin").read_bytes() == CONTENT
    assert any("404" in line for line in told)
    before = len(server.requests)
    assert ensure_weights(model) == folder
    assert len(server.requests) == before


def test_weights_with_a_wrong_hash_are_kept_out(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    server.files["/w.tar.gz"] = tar_with("net.bin", b"something else")
    model = toy_with_weights(tmp_path, source(f"{server.address}/w.tar.gz")).model("toy")
    with pytest.raises(WeightsError) as caught:
        ensure_weights(model)
    assert SHA in str(caught.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)
    assert caught.value.exit_code == 4
    assert not list((tmp_path / "cache").rglob("net.bin"))


def test_weights_of_the_user_must_hold_the_files(tmp_path: Path) -> None:
    model = toy_with_weights(tmp_path, "").model("toy")
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(WeightsError, match=r"lacks net\.bin"):
        ensure_weights(model, own)
    (own / "net.bin").write_bytes(b"mine")
    assert ensure_weights(model, own) == own


def test_a_data_set_is_downloaded_checked_and_unpacked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    archive = tar_with("test/song/vocals.wav", CONTENT)
    server.files["/set.tar.gz"] = archive
    server.cut_at = len(archive) // 2
    folder = tmp_path / "datasets" / "tiny"
    folder.mkdir(parents=True)
    shipped = (Path(__file__).parent.parent / "datasets" / "musdb18-7" / "dataset.toml").read_text()
    text = shipped.replace('name = "musdb18-7"', 'name = "tiny"').partition("[[downloads]]")[0]
    md5 = hashlib.md5(archive, usedforsecurity=False).hexdigest()
    text += f'[[downloads]]\nurl = "{server.address}/set.tar.gz"\nmd5 = "{md5}"\n'
    (folder / "dataset.toml").write_text(text)
    where = install("tiny")
    assert where is not None
    assert (where / "test" / "song" / "vocals.wav").read_bytes() == CONTENT
    before = len(server.requests)
    assert before == 2
    install("tiny")
    assert len(server.requests) == before
    shutil.rmtree(where)
