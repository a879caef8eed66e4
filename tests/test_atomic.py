"""Files that several writers replace at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchbench.io import atomic


def test_a_writer_that_ends_leaves_the_temporary_file_of_the_next_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one begins after the first has renamed its file and before it has closed it."""
    path, following = tmp_path / "part", ExitStack()
    begun: list[Path] = []
    flush = atomic._flush_folder

    def begin(folder: Path) -> None:
        flush(folder)
        if not begun:
            begun.append(following.enter_context(atomic.replacing(path)))

    monkeypatch.setattr(atomic, "_flush_folder", begin)
    atomic.write_whole(path, b"first")
    assert path.read_bytes() == b"first"
    assert begun[0].is_file()
    begun[0].write_bytes(b"second")
    following.close()
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_of_one_file_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "part"
    contents = [f"writer {number} ".encode() * 2000 for number in range(4)]

    def write(content: bytes) -> None:
        for _ in range(100):
            atomic.write_whole(path, content)
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(write, contents))
    assert list(tmp_path.iterdir()) == [path]
