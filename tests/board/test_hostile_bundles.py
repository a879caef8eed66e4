"""Bundles that are no bundles are refused with one sentence, and nothing of them is executed."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchbench.results.bundle.layout import is_bundle_path
from benchbench.results.bundle.manifest import MANIFEST
from benchbench.scoring.submission.process import check_bundle
from tests.faults.conftest import family, start, survivors, wait_for

from .conftest import Bundle

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


def _manifest(change: Callable[[dict], object]) -> Callable[[Bundle], None]:
    def apply(bundle: Bundle) -> None:
        content = json.loads((bundle.folder / MANIFEST).read_text())
        changed = change(content)
        text = changed if isinstance(changed, str) else json.dumps(content)
        (bundle.folder / MANIFEST).write_text(text)

    return apply


def _excerpt(bundle: Bundle) -> Path:
    return next((bundle.folder / "excerpts" / "tracks").rglob("mixture.flac"))


def _part(bundle: Bundle) -> Path:
    return next((bundle.folder / "scores").rglob("*.parquet"))


def _link_part(bundle: Bundle) -> None:
    path = _part(bundle)
    shutil.copy(path, bundle.folder.parent / "elsewhere")
    path.unlink()
    path.symlink_to(bundle.folder.parent / "elsewhere")


def _link_folder(bundle: Bundle) -> None:
    (bundle.folder / "runs").rename(bundle.folder.parent / "runs")
    (bundle.folder / "runs").symlink_to(bundle.folder.parent / "runs")


def _link_manifest(bundle: Bundle) -> None:
    (bundle.folder / MANIFEST).rename(bundle.folder.parent / "m.json")
    (bundle.folder / MANIFEST).symlink_to(bundle.folder.parent / "m.json")


def _pipe(bundle: Bundle) -> None:
    os.mkfifo(bundle.folder / "runs" / "pipe")


def _program(bundle: Bundle) -> None:
    (bundle.folder / "adapter.py").write_text("open('/tmp/owned', 'w')")


def _hidden(bundle: Bundle) -> None:
    (bundle.folder / "scores" / ".git").mkdir()
    (bundle.folder / "scores" / ".git" / "config").write_text("[core]\nfsmonitor = touch owned\n")


def _flipped(bundle: Bundle) -> None:
    path = _part(bundle)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _flipped_and_sealed(bundle: Bundle) -> None:
    _flipped(bundle)
    bundle.seal()


def _other_types(bundle: Bundle) -> None:
    table = pq.read_table(_part(bundle), partitioning=None)
    index = table.column_names.index("value")
    words = pa.array(["x"] * table.num_rows)
    pq.write_table(table.set_column(index, "value", words), _part(bundle))
    bundle.seal()


def _no_columns(bundle: Bundle) -> None:
    pq.write_table(pa.table({"a": [1]}), _part(bundle))
    bundle.seal()


def _unpacks_to_gigabytes(bundle: Bundle) -> None:
    zeros = pa.array([0.0]).take(pa.array([0] * 30_000_000, pa.int32()))
    pq.write_table(pa.table({"value": zeros}), _part(bundle), compression="zstd")
    bundle.seal()


def _no_audio(bundle: Bundle) -> None:
    _excerpt(bundle).write_bytes(b"fLaC" + b"\0" * 1000)
    bundle.seal()


def _python_as_audio(bundle: Bundle) -> None:
    _excerpt(bundle).write_text("import os; os.system('touch owned')")
    bundle.seal()


def _long_audio(bundle: Bundle) -> None:
    import numpy as np
    import soundfile

    soundfile.write(_excerpt(bundle), np.zeros((22050 * 60, 2)), 22050, "PCM_16")
    bundle.seal()


def _lying_audio(bundle: Bundle) -> None:
    content = bytearray(_excerpt(bundle).read_bytes())
    content[18 + 4 : 18 + 8] = struct.pack(">I", 0xFFFFFFFF)  # samples of the stream: 2^32 - 1
    _excerpt(bundle).write_bytes(content)
    bundle.seal()


def _deep_record(bundle: Bundle) -> None:
    path = next((bundle.folder / "runs").rglob("run.json"))
    path.write_text("[" * 100_000 + "]" * 100_000)
    bundle.seal()


def _control_characters(bundle: Bundle) -> None:
    bundle.change_scores(lambda row: row | {"track": "a\x1b[2Jb"})


def _leading_out(bundle: Bundle) -> None:
    bundle.change_separations(lambda row: row | {"separation_id": "../../x"})


def _infinite(bundle: Bundle) -> None:
    bundle.change_scores(lambda row: row | {"value": float("inf")})


FOLDERS: dict[str, Callable[[Bundle], None]] = {
    "no manifest": lambda bundle: (bundle.folder / MANIFEST).unlink(),
    "a manifest that is a link": _link_manifest,
    "a manifest that is no JSON": _manifest(lambda _: "{"),
    "a manifest of 100,000 levels": _manifest(lambda _: "[" * 100_000),
    "a manifest with a number of 400 digits": _manifest(lambda d: d.update(tracks=10**400)),
    "a manifest with a negative size": _manifest(lambda d: d["files"][0].update(bytes=-1)),
    "a manifest with an unknown key": _manifest(lambda d: d.update(run_me="x")),
    "a manifest with text for numbers": _manifest(lambda d: d.update(excerpts="many")),
    "a manifest of another format": _manifest(lambda d: d.update(format=99)),
    "a manifest with escape sequences": _manifest(lambda d: d.update(submitter="\x1b[2J")),
    "a manifest that names a file outside": _manifest(
        lambda d: d["files"].append({"path": "../x", "bytes": 0, "sha256": "0" * 64})
    ),
    "a manifest that names a file twice": _manifest(lambda d: d["files"].append(d["files"][0])),
    "a manifest without one file": _manifest(lambda d: d["files"].pop()),
    "a file that is missing": lambda bundle: _part(bundle).unlink(),
    "a file with one changed bit": _flipped,
    "a changed bit and a new hash": _flipped_and_sealed,
    "a part that is a link": _link_part,
    "a folder that is a link": _link_folder,
    "a pipe": _pipe,
    "a program": _program,
    "a hidden folder": _hidden,
    "a part of other types": _other_types,
    "a part without columns": _no_columns,
    "a part that unpacks to gigabytes": _unpacks_to_gigabytes,
    "a record of 100,000 levels": _deep_record,
    "audio that is no audio": _no_audio,
    "audio that is a program": _python_as_audio,
    "audio that is too long": _long_audio,
    "audio whose length lies": _lying_audio,
    "names with escape sequences": _control_characters,
    "identifiers that lead out": _leading_out,
    "infinite values": _infinite,
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_hostile_folder_is_refused(name: str, bundle: Bundle) -> None:
    before = sorted(path.name for path in bundle.folder.parent.iterdir())
    FOLDERS[name](bundle)
    result = bundle.check()
    assert result.exit_code == 5, (name, result.findings)
    (finding,) = [one for one in result.findings if one.status == "damaged"][:1]
    assert finding.message.isprintable() or "\n" in finding.message
    assert str(bundle.folder.parent) not in finding.message
    after = sorted(path.name for path in bundle.folder.parent.iterdir())
    assert set(after) - set(before) <= {"unpacked", "elsewhere", "runs", "m.json"}
    assert not Path("/tmp/owned").exists()


def _zip(path: Path, members: dict[str, bytes], mode: int = 0o644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


ZIPS: dict[str, tuple[dict[str, bytes], int]] = {
    "a bomb": ({"bundle.json": b"\0" * (300 << 20)}, 0o644),
    "a way out": ({"../x.json": b"{}"}, 0o644),
    "an absolute name": ({"/tmp/x.json": b"{}"}, 0o644),
    "a drive": ({"C:\\x.json": b"{}"}, 0o644),
    "a link": ({"bundle.json": b"/etc/passwd"}, 0o120777),
    "a device": ({"bundle.json": b""}, 0o020666),
    "nothing": ({}, 0o644),
    "no bundle": ({"readme.txt": b"hello"}, 0o644),
    "one name in two cases": ({"bundle.json": b"{}", "BUNDLE.json": b"{}"}, 0o644),
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_hostile_archive_is_refused(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    members, mode = ZIPS[name]
    bundle = Bundle(_zip(inner / "x.zip", members, mode))
    result = bundle.check()
    assert result.exit_code == 5
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert {path.name for path in inner.iterdir()} == {"x.zip", "unpacked"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\0" * 100, b"#!/bin/sh\ntouch owned\n"])
def test_a_file_that_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    assert Bundle(tmp_path / "x.zip").check().exit_code == 5


def test_a_check_that_takes_too_long_ends_and_refuses(whole: Path) -> None:
    result = check_bundle(whole, seconds=0.2)
    assert result.exit_code == 5
    assert "more than 0.2 s" in result.findings[0].message


@pytest.mark.skipif(sys.platform != "linux", reason="processes as Linux has them")
def test_the_process_ends_with_a_killed_caller(whole: Path) -> None:
    caller = start(["check", whole])

    def worker() -> psutil.Process | None:
        return next((p for p in family(caller)[1:] if "worker" in " ".join(p.cmdline())), None)

    wait_for(worker)
    process = worker()
    assert process is not None
    wait_for(lambda: re.search(r"Max cpu time\s+901", limits_of(process)))  # it is at work
    process.suspend()
    caller.kill()
    caller.communicate()
    assert not survivors([process])


def limits_of(process: psutil.Process) -> str:
    return Path(f"/proc/{process.pid}/limits").read_text()


def test_the_process_gets_no_variables_and_no_home(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import benchbench.scoring.submission.process as process

    started = {}

    def popen(command, **options):
        started.update(options)
        return real(command, **options)

    real = process.subprocess.Popen
    monkeypatch.setattr(process.subprocess, "Popen", popen)
    monkeypatch.setenv("MY_API_TOKEN", "zqcanary")
    check_bundle(whole, seconds=0.2)
    assert "MY_API_TOKEN" not in started["env"]
    assert started["env"]["HOME"] == str(started["cwd"]) != str(Path.home())


@pytest.mark.parametrize(
    "path",
    ["../bundle.json", "/bundle.json", "scores/x.parquet", "scores/model=a/dataset=b/../x.parquet",
     "runs/a/other.json", "excerpts/tracks/a/b.wav",
     "runs//a/run.json", "runs/./run.json", "scores\\model=a", "excerpts/tracks/a/NUL.flac"],
)  # fmt: skip
def test_paths_that_no_bundle_has(path: str) -> None:
    assert not is_bundle_path(path)
