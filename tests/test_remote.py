"""Results at an address: put whole, mirrored, and the same numbers as in a folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import benchbench
from benchbench.errors import OutputError, UsageError
from benchbench.io.remote import RemoteFolder, is_url, local_folder
from benchbench.results.store import Results, open_results
from benchmarks.kills import table


@pytest.fixture(autouse=True)
def own_mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("place", "elsewhere"),
    [
        ("s3://bucket/results", True), ("gs://bucket/x", True), ("s3:/bucket/results", True),
        ("memory://x", True), ("results", False), ("/tmp/results", False),
        ("C:/results", False), ("C:\\results", False), ("file:///tmp/results", False),
        ("a:b/c", False),
    ],
)  # fmt: skip
def test_addresses_are_told_from_paths(place: str, elsewhere: bool) -> None:
    assert is_url(place) is elsewhere
    assert is_url(Path(place)) is is_url(place)


def test_a_file_address_is_a_folder() -> None:
    assert local_folder("file:///tmp/results") == Path("/tmp/results")
    assert local_folder("results") == Path("results")


def test_a_mirror_follows_what_is_there(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    folder = RemoteFolder("memory://benchbench-test/results")
    part = tmp_path / "part"
    for name, content in (("scores/a", b"one"), ("scores/b", b"two"), ("runs/r/run.json", b"{}")):
        part.write_bytes(content)
        folder.put(part, name)
    assert folder.exists("scores/a")
    assert not folder.exists("scores/c")
    mirror = folder.mirror()
    assert (mirror / "scores" / "b").read_bytes() == b"two"
    part.write_bytes(b"two, computed anew")
    folder.put(part, "scores/b")
    folder._place[0].rm("/benchbench-test/results/scores/a")
    assert folder.mirror() == mirror
    assert (mirror / "scores" / "b").read_bytes() == b"two, computed anew"
    assert not (mirror / "scores" / "a").exists()


def run(root: Path, out: Path | str, **options: object) -> benchbench.api.run.RunResult:
    models = ["mixture", "silence"]
    return benchbench.run(
        models,
        "folder",
        root=root,
        out=out,
        metrics=["usdr"],
        **options,  # type: ignore[arg-type]
    )


def test_a_run_into_an_address_equals_one_into_a_folder(small_songs: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    address = f"local://{tmp_path}/there"
    first = run(small_songs, address, limit=1)
    assert first.tally.ok == 2
    second = run(small_songs, address, jobs=2)
    assert (second.tally.ok, second.present) == (2, 2)
    run(small_songs, tmp_path / "here")
    assert table(tmp_path / "there").equals(table(tmp_path / "here"))
    assert table(open_results(address).root).equals(table(tmp_path / "here"))
    there = {path.suffix for path in (tmp_path / "there").rglob("*") if path.is_file()}
    assert {".parquet", ".json", ".html", ".flac"} <= there
    assert (tmp_path / "there" / "report.html").stat().st_size > 10_000
    assert not list((tmp_path / "there").rglob("*.tmp"))


def test_an_address_that_cannot_be_used_is_said(small_songs: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(UsageError, match="nosuch"):
        open_results("nosuch://bucket/results")
    (tmp_path / "blocker").touch()
    (tmp_path / "part").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        RemoteFolder(f"local://{tmp_path}/blocker/results").put(tmp_path / "part", "a/b")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of an S3 server on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "FSSPEC_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        import s3fs

        files = s3fs.S3FileSystem(endpoint_url=f"http://127.0.0.1:{port}")
        files.mkdir("benchbench-bucket")
        yield "s3://benchbench-bucket/results"
    finally:
        server.kill()
        server.wait()


@pytest.mark.s3
def test_a_run_into_a_bucket_equals_one_into_a_folder(
    small_songs: Path, tmp_path: Path, bucket: str
) -> None:
    assert run(small_songs, bucket, limit=1).tally.ok == 2
    second = run(small_songs, bucket, jobs=2)
    assert (second.tally.ok, second.present) == (2, 2)
    run(small_songs, tmp_path / "here")
    assert table(local_folder(bucket)).equals(table(tmp_path / "here"))
    assert Results(local_folder(bucket)).separations().num_rows == 4
