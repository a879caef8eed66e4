"""``--format json`` of show, doctor and verify: the same facts as the text, for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import benchbench
from benchbench.__main__ import main
from benchbench.api.new import new
from benchbench.cli.lookup import named
from benchbench.errors import UnknownNameError
from benchbench.separation.environments import InstalledEnvironment, Interpreter

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["bench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def test_show_describes_each_kind(bench: Bench) -> None:
    model = json.loads(bench("show", "spleeter:4stems", "--format", "json")[1])
    assert (model["kind"], model["model"]) == ("model", "spleeter:4stems")
    assert model["manifest"]["variants"]["4stems"]["stems"] == ["vocals", "drums", "bass", "other"]
    assert model["manifest"]["licence"]["code"] == "MIT"
    dataset = json.loads(bench("show", "demo", "--format", "json")[1])
    assert (dataset["kind"], dataset["manifest"]["name"]) == ("dataset", "demo")
    protocol = json.loads(bench("show", "usdr", "--format", "json")[1])
    assert (protocol["kind"], protocol["protocol"]) == ("protocol", "usdr")
    sdr = protocol["metrics"][0]
    assert (sdr["metric"], sdr["unit"], sdr["direction"]) == ("SDR", "dB", "higher")
    assert protocol["good_for"]


def test_doctor_lists_checks_and_keeps_its_exit_code(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = new("model", "bad")
    code, text, _ = bench("doctor", "bad", "--format", "json")
    checks = json.loads(text)
    assert code == 0
    assert {check["status"] for check in checks} == {"ok"}
    source = folder / "adapter.py"
    source.write_text(source.read_text().replace("self.share * mixture", "mixture / None"))
    code, text, _ = bench("doctor", "bad", "--format", "json")
    checks = json.loads(text)
    assert code == 4
    assert [check["status"] for check in checks].count("bad") == 1
    assert [check["status"] for check in checks].count("skipped") == len(checks) - 1
    assert "TypeError" in checks[0]["detail"]
    assert "adapter.py" in checks[0]["detail"]


def test_verify_writes_differences(bench: Bench, small_songs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    benchbench.run(
        "mixture", "folder", root=small_songs, metrics="si", out=out, limit=1, report=False
    )
    code, text, _ = bench("verify", out, "--root", small_songs, "--format", "json")
    lines = json.loads(text)
    assert code == 0
    assert {line["protocol"] for line in lines} == {"si"}
    assert all(line["passed"] and line["largest"] < 1e-6 for line in lines)


def test_another_form_is_refused(bench: Bench) -> None:
    code, _, error = bench("show", "demo", "--format", "jsn")
    assert (code, "Did you mean 'json'" in error) == (2, True)


def test_show_answers_the_name_of_a_metric_with_its_protocols() -> None:
    with pytest.raises(UnknownNameError, match="sdr is a metric of the protocols usdr, "):
        named("sdr", Path("results"), ())
    with pytest.raises(UnknownNameError, match=r"Did you mean 'spleeter'\? \d+ names are known"):
        named("spleter", Path("results"), ())


def test_run_writes_the_leaderboard(bench: Bench, small_songs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, text, _ = bench(
        "run", "--models", "mixture,silence", "--dataset", "folder", "--root", small_songs,
        "--metrics", "usdr", "--out", out, "--no-report", "--format", "json",
    )  # fmt: skip
    outcome = json.loads(text)
    assert (code, outcome["done"], outcome["failed"], outcome["report"]) == (0, 4, 0, None)
    board = benchbench.Results(out).leaderboard().reset_index()
    by_key = {(line["model"], line["target"]): line for line in outcome["leaderboard"]}
    assert len(by_key) == len(board)
    for row in board.to_dict("records"):
        line = by_key[row["model"], row["target"]]
        value = float("nan") if line["usdr/SDR"] is None else line["usdr/SDR"]
        assert value == pytest.approx(row["usdr/SDR"], abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("written", [["--config", "{}"], ["--config={}"]])
@pytest.mark.parametrize("first", [True, False])
def test_a_configuration_stands_before_or_after_the_command(
    bench: Bench, tmp_path: Path, written: list[str], first: bool
) -> None:
    file = tmp_path / "bench.toml"
    file.write_text('[list]\nstems = "drums"\n')
    config = [word.format(file) for word in written]
    code, text, _ = bench(*config, "list", "models") if first else bench("list", "models", *config)
    assert code == 0
    assert "spleeter:4stems" in text
    assert "spleeter:2stems" not in text


def test_install_lists_environments(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    built = Interpreter(
        python=Path("python"), version="3.11.7", packages={"numpy": "2.3"},
        requirements=("numpy==2.3",), installer="uv 0.13.9", folder=Path("/cache/ab"),
        size_bytes=2_000_000,
    )  # fmt: skip
    monkeypatch.setattr(
        "benchbench.api.install.installed_environments",
        lambda _: [InstalledEnvironment(built, ("theirs",))],
    )
    code, text, _ = bench("install", "--format", "json")
    assert code == 0
    assert json.loads(text) == [
        {"adapters": ["theirs"], "size_bytes": 2_000_000, "python": "3.11.7",
         "built_with": "uv 0.13.9", "folder": "/cache/ab", "requirements": ["numpy==2.3"]}
    ]  # fmt: skip


def test_install_names_the_folder_of_the_weights(bench: Bench) -> None:
    code, text, _ = bench("install", "zipformer:tiny", "--format", "json")
    facts = json.loads(text)
    assert (code, facts["name"], Path(facts["folder"]).name) == (0, "zipformer:tiny", "tiny")
