"""Needs an ffmpeg program, which judges what is read: tox -e formats installs it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.formats)
            if shutil.which("ffmpeg") is None:
                item.add_marker(pytest.mark.skip(reason="there is no ffmpeg program"))
