"""Untrusted results: nothing outside is written or read, and errors name the file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import benchbench
from benchbench.comparison import compare
from benchbench.errors import BenchbenchError, DamagedResultsError
from benchbench.io.names import file_name, file_names, is_file_name
from benchbench.results.compaction import compact
from benchbench.results.integrity import damaged_parts, damaged_runs
from benchbench.results.interchange import Source, import_benchbench
from benchbench.results.parquet_parts import encoded, write_parts
from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results
from tests.hostile.conftest import (
    RUN,
    SCORE,
    SEPARATION,
    bench,
    one_clear_error,
    tree,
    write_results,
)

LAB = Source("lab", "CC-BY-4.0")

LEADING_OUT = [
    "../x", "../../x", "/tmp/x", "a/b", "..", ".", "", "C:\\x", "C:x", "..\\x", "a\0b", "NUL",
    "con.txt", " x", "x.", "a\nb", "\u202ex", "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_name_becomes_one_file_name(name: str, tmp_path: Path) -> None:
    for keep in ("", ".", './\\:*"\0'):
        text = file_name(name, keep=keep)
        assert not set('/\\:\0\n"*') & set(text)
        assert text not in (".", "..")
        assert text == text.strip(" .")
        assert len(text.encode()) <= 160
        (tmp_path / text).touch()
        assert (tmp_path / text).resolve().parent == tmp_path.resolve()


def test_names_that_differ_in_case_or_unicode_form_only_stay_apart() -> None:
    names = ["Vocals", "vocals", "e\u0301", "\u00e9", "AC/DC", "AC_DC", "AC:DC", "\uff56ocals"]
    files = file_names(names)
    assert list(files) == names
    assert len({text.casefold() for text in files.values()}) == len(names)
    assert file_names(["a", "b"]) == {"a": "a", "b": "b"}


@pytest.mark.parametrize("name", LEADING_OUT)
@pytest.mark.parametrize("column", ["cell_id", "separation_id", "run_id"])
def test_an_identifier_that_leads_out_is_refused_on_import(
    name: str, column: str, theirs: Path, tmp_path: Path
) -> None:
    if column == "separation_id":
        row = SEPARATION | {column: name, "track": "other"}
        _put(theirs / "separations" / "odd.parquet", [row], SEPARATIONS)
    else:
        folder = next((theirs / "scores").rglob("*.parquet")).parent
        _put(folder / "odd.parquet", [SCORE | {column: name, "track": "other"}], SCORES)
    before, mine = tree(tmp_path), tmp_path / "mine"
    with pytest.raises(DamagedResultsError) as caught:
        import_benchbench(theirs, mine, LAB)
    assert str(theirs) in str(caught.value)
    assert tree(tmp_path) == before


def _put(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    with path.open("wb") as file:
        write_parts([pa.Table.from_pylist(rows, schema)], schema, file)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a\\b", "..", "x" * 300])
def test_the_store_refuses_identifiers_that_lead_out(name: str, tmp_path: Path) -> None:
    results = Results(tmp_path / "mine")
    for write in (
        lambda: results.write_run(name, RUN),
        lambda: results.write_separation(SEPARATION | {"separation_id": name}),
        lambda: results.scores_path(name, "m", "d"),
    ):
        with pytest.raises(DamagedResultsError):
            write()
    assert not is_file_name(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../../x", "..", "a/b", "C:\\x", "NUL"])
def test_models_data_sets_and_tracks_that_lead_out_stay_inside(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    results = Results(inner / "theirs")
    table = pa.Table.from_pylist([SCORE | {"model": name, "dataset": name, "track": name}], SCORES)
    results.write_scores("c0", name, name, table)
    results.write_run("r0", RUN)
    import_benchbench(results.root, inner / "mine", LAB)
    for form in ("museval", "csv", "huggingface"):
        try:
            benchbench.export(form, inner / "out" / form, inner / "mine", protocol="usdr")
        except BenchbenchError:
            continue
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    assert {path.name for path in inner.iterdir()} <= {"theirs", "mine", "out"}


def test_a_copy_of_ones_own_folder_replaces_nothing(tmp_path: Path) -> None:
    mine = write_results(tmp_path / "mine").root
    shutil.copytree(mine, tmp_path / "copy")
    before = tree(mine)
    done = import_benchbench(tmp_path / "copy", mine, LAB)
    assert done.models == ("lab.net:big",)
    assert {name: content for name, content in tree(mine).items() if name in before} == before
    rows = Results(mine).separations().to_pylist()
    assert sorted((row["separation_id"], row["model"]) for row in rows) == [
        *((f"lab-s{n}", "lab.net:big") for n in range(3)),
        *((f"s{n}", "net:big") for n in range(3)),
    ]
    assert {run["run_id"] for run in Results(mine).runs()} == {"r0", "lab-r0"}
    once = tree(mine)
    import_benchbench(tmp_path / "copy", mine, LAB)
    assert tree(mine).keys() == once.keys()
    assert Results(mine).scores().num_rows == 6


@pytest.mark.parametrize(
    "what", ["run.json", "log", "runs", "run folder", "part", "scores", "model"]
)
def test_links_are_not_followed(what: str, theirs: Path, tmp_path: Path) -> None:
    private = write_results(tmp_path / "private").root
    secret = private / "runs" / "r0" / "secret.log"
    secret.write_text("PRIVATE")
    run, part = theirs / "runs" / "r0", next((theirs / "scores").rglob("*.parquet"))
    place, target = {
        "run.json": (run / "run.json", private / "runs" / "r0" / "run.json"),
        "log": (run / "net-big.log", secret),
        "runs": (theirs / "runs", private / "runs"),
        "run folder": (run, private / "runs" / "r0"),
        "part": (part, next((private / "scores").rglob("*.parquet"))),
        "scores": (theirs / "scores", private / "scores"),
        "model": (part.parents[1], next((private / "scores").iterdir())),
    }[what]
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(target)
    mine = tmp_path / "mine"
    try:
        import_benchbench(theirs, mine, LAB)
    except DamagedResultsError as error:
        assert "link" in str(error)  # noqa: PT017
    kept = b"".join(tree(mine).values()) if mine.exists() else b""
    assert b"PRIVATE" not in kept
    found = [*damaged_parts(theirs, "scores"), *damaged_runs(theirs)]
    assert any("link" in why for _, why in found)
    if what in ("part", "model"):
        for act in (
            lambda: compact(Results(theirs)),
            lambda: benchbench.report([theirs], tmp_path / "page.html"),
        ):
            with pytest.raises(BenchbenchError):
                act()
    assert secret.read_text() == "PRIVATE"
    assert len(list(private.rglob("*.parquet"))) == 6


DEEP = "[" * 100_000
RECORDS = {
    "nested 100,000 deep": '{"run_id": "r0", "x": ' + DEEP + "]" * 100_000 + "}",
    "nested 30 deep": '{"run_id": "r0", "x": ' + "[" * 30 + "]" * 30 + "}",
    "never closed": '{"run_id": "r0", "x": ' + DEEP,
    "a number of 400 digits": '{"run_id": "r0", "jobs": 1' + "0" * 400 + "}",
    "a number of 10,000 digits": '{"run_id": "r0", "x": 1' + "0" * 10_000 + ".5}",
    "NaN": '{"run_id": "r0", "jobs": NaN}',
    "infinity": '{"run_id": "r0", "seconds": {"total_s": Infinity}}',
    "a list": "[]",
    "null": "null",
    "run_id a number": '{"run_id": 5}',
    "models a number": '{"run_id": "r0", "models": 5}',
    "models of text": '{"run_id": "r0", "models": ["a"]}',
    "a model's name a list": '{"run_id": "r0", "models": [{"name": ["a"]}]}',
    "licence a list": '{"run_id": "r0", "models": [{"name": "a", "licence": [1]}]}',
    "machine text": '{"run_id": "r0", "machine": "fast"}',
    "memory negative": '{"run_id": "r0", "machine": {"memory_bytes": -1}}',
    "seconds negative": '{"run_id": "r0", "seconds": {"total_s": -5}}',
    "command a number": '{"run_id": "r0", "command": 5}',
    "protocols without a name": '{"run_id": "r0", "protocols": [{}]}',
    "a lone surrogate": '{"run_id": "\\ud800"}',
    "a NUL": '{"run_id": "r0"}\0',
    "no UTF-8": b'{"run_id": "\xff"}',
    "empty": "",
    "20,000 models": json.dumps({"run_id": "r0", "models": [{"name": "a"}] * 20_000}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_damaged_record_of_a_run_is_named(name: str, theirs: Path, tmp_path: Path) -> None:
    content = RECORDS[name]
    path = theirs / "runs" / "r0" / "run.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for act in (
        lambda: Results(theirs).runs(),
        lambda: import_benchbench(theirs, tmp_path / "mine", LAB),
        lambda: compare(f"{theirs}@net:big", f"{theirs}@net:big"),
        lambda: benchbench.report([theirs], tmp_path / "page.html"),
    ):
        with pytest.raises(DamagedResultsError, match=r"run\.json"):
            act()
    assert [place for place, _ in damaged_runs(theirs)] == [path]
    assert not (tmp_path / "mine").exists()


def test_twice_the_same_key_is_read_as_json_readers_do(theirs: Path) -> None:
    path = theirs / "runs" / "r0" / "run.json"
    path.write_text('{"run_id": "x", "run_id": "r0", "models": 5, "models": []}')
    with pytest.raises(DamagedResultsError):  # each of them must have the right type
        Results(theirs).runs()


@pytest.mark.slow
def test_a_record_of_a_gigabyte_is_not_read(theirs: Path) -> None:
    path = theirs / "runs" / "r0" / "run.json"
    with path.open("wb") as file:
        file.write(b'{"run_id": "')
        file.truncate(1 << 30)
    peak = _peak_memory(f"benchbench.list_runs({str(theirs)!r})")
    assert peak < 1e9


def _peak_memory(expression: str) -> float:
    """Bytes that a process held at most that reads a folder, whether it ends in an error or not."""
    program = f"""
from pathlib import Path
from benchbench.errors import DamagedResultsError
from benchbench.results.store import Results
class benchbench:
    list_runs = lambda place: Results(Path(place)).runs()
    scores = lambda place: Results(Path(place)).encoded_scores()
try:
    {expression}
except DamagedResultsError as error:
    print("refused", error)
peak = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(1024 * int(peak[0].split()[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "refused" in done.stdout
    return float(done.stdout.split()[-1])


def _part(theirs: Path) -> Path:
    return sorted((theirs / "scores").rglob("*.parquet"))[0]


def _with(column: str, array: pa.Array) -> pa.Table:
    table = pa.Table.from_pylist([SCORE], SCORES)
    return table.set_column(SCORES.get_field_index(column), column, array)


PARTS: dict[str, Any] = {
    "value a text": lambda: _with("value", pa.array(["loud"])),
    "value a list": lambda: _with("value", pa.array([[1.0]])),
    "model a number": lambda: _with("model", pa.array([5])),
    "model a struct": lambda: _with("model", pa.array([{"a": 1}])),
    "track missing": lambda: _with("track", pa.array([None], pa.string())),
    "model missing": lambda: _with("model", pa.array([None], pa.string())),
    "metric_version too large": lambda: _with("metric_version", pa.array([1 << 40])),
    "track no UTF-8": lambda: _with("track", pa.array([b"\xff\xfe"], pa.binary())),
    "no columns": lambda: pa.table({"x": [1]}),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_another_shape_is_named(name: str, theirs: Path, tmp_path: Path) -> None:
    path = _part(theirs)
    pq.write_table(PARTS[name](), path)
    for act in (
        lambda: Results(theirs).scores(),
        lambda: import_benchbench(theirs, tmp_path / "mine", LAB),
        lambda: benchbench.report([theirs], tmp_path / "page.html"),
        lambda: compact(Results(theirs)),
    ):
        with pytest.raises(DamagedResultsError):
            act()
    assert path in [place for place, _ in damaged_parts(theirs, "scores")]
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("width", [pa.int8(), pa.int16(), pa.int64(), pa.uint8()])
def test_dictionaries_of_another_width_are_read(width: pa.DataType, theirs: Path) -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0], width), pa.array(["t0"]))
    pq.write_table(_with("track", words), _part(theirs))
    assert Results(theirs).encoded_scores().num_rows == 3
    frame = Results(theirs).scores_frame()
    assert sorted(frame["track"].astype(str)) == ["t0", "t1", "t2"]


@pytest.mark.parametrize("cut", ["middle", "end", "footer", "empty", "noise"])
def test_a_part_with_a_lying_footer_is_named(cut: str, theirs: Path) -> None:
    path = _part(theirs)
    content = bytearray(path.read_bytes())
    size = len(content)
    match cut:
        case "middle":
            content[size // 3 : size // 3 + 16] = bytes(16)
        case "end":
            del content[-20:]
        case "footer":
            content[-8:-4] = (1 << 30).to_bytes(4, "little")
        case "empty":
            content.clear()
        case "noise":
            content[:] = np.random.default_rng(0).bytes(size)
    path.write_bytes(content)
    assert path in [place for place, _ in damaged_parts(theirs, "scores")]


@pytest.mark.slow
@pytest.mark.parametrize("bomb", ["rows", "text", "dictionary"])
def test_a_small_part_that_unpacks_to_gigabytes_is_refused(bomb: str, theirs: Path) -> None:
    path = _part(theirs)
    if bomb == "rows":
        schema = encoded(SCORES)
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            row = pa.Table.from_pylist([SCORE], SCORES).cast(schema)
            many = row.take(pa.array(np.zeros(2_000_000, np.int32)))
            for _ in range(50):
                writer.write_table(many)
    else:
        word = pa.array(["x" * (400 << 20)])
        kind = word if bomb == "text" else word.dictionary_encode()
        pq.write_table(_with("track", kind), path, compression="zstd")
    assert path.stat().st_size < 5_000_000
    assert _peak_memory(f"benchbench.scores({str(theirs)!r})") < 1e9


NUMBERS = {
    "a negative length": ("scores", {"duration_s": -1.0}),
    "infinity": ("scores", {"value": float("inf")}),
    "NaN": ("scores", {"value": float("nan")}),
    "a negative time": ("separations", {"wall_s": -1.0}),
    "negative memory": ("separations", {"peak_rss_bytes": -5}),
    "an unknown status": ("separations", {"status": "splendid"}),
    "a name of 100,000 letters": ("scores", {"track": "x" * 100_000}),
    "an escape sequence": ("scores", {"track": "\x1b[2J"}),
    "a bell in the model": ("scores", {"model": "net\x07:big"}),
    "text from right to left": ("scores", {"track": "a\u202eb"}),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_what_no_run_writes_is_not_imported(name: str, theirs: Path, tmp_path: Path) -> None:
    kind, change = NUMBERS[name]
    if kind == "scores":
        _put(_part(theirs), [SCORE | change], SCORES)
    else:
        _put(theirs / "separations" / "s0.parquet", [SEPARATION | change], SEPARATIONS)
    with pytest.raises(DamagedResultsError, match=kind):
        import_benchbench(theirs, tmp_path / "mine", LAB)
    assert not (tmp_path / "mine").exists()


def test_pipes_in_a_results_folder_are_not_waited_for(theirs: Path, tmp_path: Path) -> None:
    os.mkfifo(theirs / "runs" / "r0" / "net-big.log")
    import_benchbench(theirs, tmp_path / "mine", LAB)
    (theirs / "runs" / "r0" / "run.json").unlink()
    os.mkfifo(theirs / "runs" / "r0" / "run.json")
    with pytest.raises(DamagedResultsError, match="not a regular file"):
        Results(theirs).runs()


def test_the_command_line_names_the_file_and_ends_with_5(theirs: Path, tmp_path: Path) -> None:
    path = theirs / "runs" / "r0" / "run.json"
    path.write_text(RECORDS["nested 100,000 deep"])  # type: ignore[arg-type]
    done = bench("report", theirs, "--out", tmp_path / "page.html")
    one_clear_error(done, 5, str(path))


FSMONITOR = """
[core]
\trepositoryformatversion = 0
\tfsmonitor = {program}
\thooksPath = {hooks}
\tuntrackedCache = true
[filter "trap"]
\tclean = {program}
\tsmudge = {program}
[diff]
\texternal = {program}
"""


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_standing_in_a_strangers_repository_runs_nothing_of_it(tmp_path: Path) -> None:
    from benchbench.running.git_state import git_state

    top, mark = tmp_path / "clone", tmp_path / "mark"
    top.mkdir()
    git = ["git", "-C", str(top), "-c", "user.name=x", "-c", "user.email=x@x.x"]
    (top / "file").write_text("one")
    (top / ".gitattributes").write_text("* filter=trap\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    sha = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    assert git_state(top) == {"sha": sha, "dirty": False}
    program = tmp_path / "trap.sh"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(program, hooks / "post-index-change")
    (top / ".git" / "config").write_text(FSMONITOR.format(program=program, hooks=hooks))
    (top / "file").write_text("two, longer")
    state = git_state(top)
    assert state == {"sha": sha, "dirty": True}
    assert not mark.exists()
    subprocess.run([*git, "status", "--porcelain"], capture_output=True)
    assert mark.exists(), "the trap itself must work"
    subprocess.run([*git, "pack-refs", "--all"], capture_output=True)
    assert (git_state(top / ".git" / "..") or {})["sha"] == sha


@pytest.mark.parametrize(
    "head",
    ["ref: ../../../../etc/passwd", "ref: refs/heads/../../x", "x" * 50, "", "ref: refs/heads/no"],
)
def test_a_repository_whose_head_lies_is_none(head: str, tmp_path: Path) -> None:
    from benchbench.running.git_state import git_state

    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert git_state(tmp_path) is None


@pytest.mark.slow
def test_files_where_bench_is_started_are_not_imported(small_songs: Path, tmp_path: Path) -> None:
    place = tmp_path / "stranger"
    place.mkdir()
    trap = f"open({str(tmp_path / 'mark')!r}, 'w').close()\n"
    for name in ("random", "multiprocessing", "numpy", "pip", "sitecustomize", "av", "soundfile"):
        (place / f"{name}.py").write_text(trap)
    done = bench(
        "run", "--models", "irm", "--dataset", "folder", "--root", small_songs, "--out",
        tmp_path / "out", "--metrics", "usdr", "--no-report", cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "mark").exists()
