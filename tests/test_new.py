"""The example folders of `bench new` work unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.api.doctor import doctor
from benchbench.api.new import new
from benchbench.errors import UnknownNameError, UsageError
from benchbench.plugins.catalog import Catalog


def test_a_new_model_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new("model", "my-sep") == Path("adapters/my-sep")
    checks = list(doctor("my-sep"))
    assert len(checks) >= 9
    assert all(check.ok for check in checks), [check for check in checks if not check.ok]


def test_a_new_data_set_can_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    new("dataset", "our-songs")
    manifest = Catalog().dataset("our-songs").manifest
    assert manifest.root_variable == "OUR_SONGS_ROOT"


def test_a_new_metric_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    new("metric", "level")
    checks = list(doctor("./metrics/level"))
    assert len(checks) > 3
    assert all(check.ok for check in checks), [check for check in checks if not check.ok]


@pytest.mark.parametrize("name", ["My-Sep", "a b", "../x", "-a", ""])
def test_names_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        new("model", name, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    new("model", "mine", tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        new("model", "mine", tmp_path)
    with pytest.raises(UsageError, match="model spleeter already"):
        new("model", "spleeter", tmp_path)
    with pytest.raises(UnknownNameError, match="kind"):
        new("modle", "x", tmp_path)


def test_doctor_tells_a_fault_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = new("model", "bad")
    code = (folder / "adapter.py").read_text()
    (folder / "adapter.py").write_text(
        code.replace("self.share * mixture", "self.shares * mixture")
    )
    checks = list(doctor("bad"))
    told = [check for check in checks if not check.ok and not check.skipped]
    assert len(told) == 1
    assert "AttributeError" in told[0].detail
    assert "adapter.py" in told[0].detail
    assert "line" in told[0].detail
    skipped = [check for check in checks if check.skipped]
    assert {"does not change its input", "the same twice"} <= {check.name for check in skipped}
    assert not any(check.ok for check in checks)


def test_doctor_says_what_is_not_installed_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path))
    checks = {check.name: check for check in doctor()}
    assert "not installed (" in checks["model demucs"].detail
    assert checks["model demucs"].ok
    assert not checks["model irm"].detail
