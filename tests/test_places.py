"""Where plug-ins are found."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchbench.plugins.places import Places


def test_an_equal_copy_of_a_shipped_adapter_is_not_worth_a_note(tmp_path: Path) -> None:
    shipped = Places("adapters", working_directory=None).find("irm")
    assert shipped is not None
    shutil.copytree(shipped.folder, tmp_path / "adapters" / "irm")
    place = Places("adapters", working_directory=tmp_path).find("irm")
    assert place is not None
    assert place.note("irm") is None
    with (tmp_path / "adapters" / "irm" / "adapter.py").open("a") as file:
        file.write("\n# changed\n")
    assert "is the shipped one" in str(place.note("irm"))
