"""A folder is written as a whole: nothing of it is seen before, and nothing is left of a killed writer."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from benchbench.api.adapt import adapt
from benchbench.api.new import new
from benchbench.errors import OutputError, UsageError
from benchbench.io.processes.scratch import LOCK, held, new_folder
from benchbench.io.processes.staging import folder_beside, put_in_place

HOLDER = """
import sys, time
from pathlib import Path
from benchbench.io.processes.staging import folder_beside
with folder_beside(Path(sys.argv[1])) as work:
    (work / "big").write_text("x")
    print(work, flush=True)
    time.sleep(60)
"""


def holder(target: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, target], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_the_folder_of_a_killed_writer_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    target = tmp_path / "sub" / "bundle"
    processes = [holder(target), holder(target)]
    killed, living = (
        Path((process.stdout or sys.stdin).readline().strip()) for process in processes
    )
    try:
        processes[0].kill()
        processes[0].wait()
        assert killed.is_dir()
        with folder_beside(target) as work:
            assert not killed.exists()
            assert (living / "big").is_file()
            (work / "new").mkdir()
            (work / "new" / "file").write_text("whole")
            assert not target.exists()
            put_in_place(work / "new", target)
        assert (target / "file").read_text() == "whole"
        assert sorted(path.name for path in target.parent.iterdir()) == sorted(
            ["bundle", living.name]
        )
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks the file under its own name")
@pytest.mark.parametrize("links", [True, False])
def test_a_lock_file_is_never_seen_unlocked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    link = os.link

    def checked(source: Path, target: Path) -> None:
        if not links:
            raise OSError(errno.EPERM, "Operation not permitted")
        with pytest.raises(Timeout):
            FileLock(source, timeout=0).acquire()
        link(source, target)

    monkeypatch.setattr("os.link", checked)
    with held(new_folder(tmp_path, "x-")) as folder:
        with pytest.raises(Timeout):
            FileLock(folder / LOCK, timeout=0).acquire()
        new_folder(tmp_path, "x-").cleanup()
        assert folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_an_earlier_folder_is_replaced_or_stays(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "old").write_text("1")
    with pytest.raises(OutputError, match=r"Cannot write .*bundle"), folder_beside(target) as work:
        put_in_place(work / "missing", target)
    assert [path.name for path in target.iterdir()] == ["old"]
    with folder_beside(target) as work:
        (work / "new").mkdir()
        put_in_place(work / "new", target)
    assert list(tmp_path.iterdir()) == [target]
    assert not list(target.iterdir())


def test_an_error_about_another_file_keeps_its_cause(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), folder_beside(tmp_path / "a" / "bundle"):
        (tmp_path / "elsewhere").read_bytes()
    with pytest.raises(OutputError, match="No space left"), folder_beside(tmp_path / "bundle"):
        raise OSError(errno.ENOSPC, "No space left on device")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"), folder_beside(tmp_path / "file" / "x"):
        pass


@pytest.mark.parametrize("name", ["con", "nul", "com1", "x" * 300])
def test_names_that_some_systems_cannot_write_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        new("model", name, tmp_path)
    with pytest.raises(UsageError, match="cannot be the name"):
        adapt("zipformer:tiny", tmp_path, "guitar", out=tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_new_plug_in_is_there_as_a_whole(tmp_path: Path) -> None:
    folder = new("model", "half", tmp_path)
    assert folder == tmp_path / "adapters" / "half"
    assert (folder / "adapter.toml").is_file()
    assert [path.name for path in (tmp_path / "adapters").iterdir()] == ["half"]
