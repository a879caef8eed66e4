from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from benchbench.errors import WeightsError
from benchbench.io.archive import extract


def tar_of(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            data = b"content" if member.isfile() else b""
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def test_wanted_files_come_out_and_others_do_not(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("./in/a"), member("./in/b"), member("./c"))
    out = tmp_path / "out"
    out.mkdir()
    assert extract(archive, out, inner="in", only=frozenset({"a"})) == ["a"]
    assert (out / "a").read_bytes() == b"content"
    assert [p.name for p in out.iterdir()] == ["a"]


def test_wheels_are_read_like_other_zip_files(tmp_path: Path) -> None:
    archive = tmp_path / "a.whl"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("pkg/models/x", "content")
        bundle.writestr("pkg/__init__.py", "")
    assert extract(archive, tmp_path, inner="pkg/models/") == ["x"]


@pytest.mark.parametrize(
    "bad",
    [
        member("../evil"),
        member("a/../../evil"),
        member("/etc/evil"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.LNKTYPE, "good"),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda entry: f"{entry.name}-{entry.type.decode()}",
)
def test_an_archive_that_leads_outside_is_refused_whole(
    tmp_path: Path, bad: tarfile.TarInfo
) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("good"), bad)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(WeightsError, match="refused"):
        extract(archive, out)
    assert list(out.iterdir()) == []


def test_zip_names_with_backslashes_or_links_are_refused(tmp_path: Path) -> None:
    for name, mode in (("..\\evil", 0), ("C:\\evil", 0), ("link", 0o120777)):
        archive = tmp_path / "a.zip"
        with zipfile.ZipFile(archive, "w") as bundle:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            bundle.writestr(entry, "/etc/passwd")
        with pytest.raises(WeightsError, match="refused"):
            extract(archive, tmp_path)


def test_a_damaged_archive_is_one_clear_error(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("a"))
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(WeightsError, match="cannot be unpacked"):
        extract(archive, tmp_path)


def test_members_without_a_proper_name_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr(zipfile.ZipInfo("\0evil"), b"x")
    with pytest.raises(WeightsError, match="cannot be unpacked"):
        extract(archive, tmp_path)
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("\0evil"))
    with pytest.raises(WeightsError):
        extract(archive, tmp_path)
