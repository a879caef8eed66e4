"""Tables, mappings and files of museval of strangers end in values or in one sentence."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchbench.api.import_results import import_results
from benchbench.errors import BenchbenchError
from benchbench.results.interchange import Source
from benchbench.results.store import Results
from tests.hostile.conftest import bench, one_clear_error, tree

LAB = Source("lab", "CC-BY-4.0")
HEAD = "model,track,target,metric,value\n"
ROW = "m,t,vocals,SDR,1.0\n"


def imported(kind: str, path: Path, results: Path, **options: Any) -> bool:
    """Whether the import succeeds; an error must be one of benchbench, and leave no part."""
    if kind == "museval":
        options = {"dataset": "d", **options}
    failed = None
    try:
        import_results(kind, path, results, source=LAB, **options)
    except BenchbenchError as error:
        failed = str(error)
    if failed is not None:
        assert len(failed) < 5000
        assert not [name for name in tree(results) if name.endswith(".parquet")]
        return False
    table = Results(results).scores()
    assert table.num_rows
    value = table.column("value").to_numpy()
    assert np.isfinite(value[~np.isnan(value)]).all()
    return True


def target(**changes: Any) -> dict[str, Any]:
    frame = {"time": 0.0, "duration": 1.0, "metrics": {"SDR": 1.0, "SIR": 1, "SAR": 1, "ISR": 1}}
    return {"name": "vocals", "frames": [frame | changes.pop("frame", {})]} | changes


MUSEVAL = {
    "sound": (json.dumps({"targets": [target()]}), True),
    "integer of 400 digits": (json.dumps({"targets": [target(frame={"time": 10**400})]}), False),
    "integer of 10,000 digits": ('{"targets": ' + "9" * 10_000 + "}", False),
    "a score of 400 digits": (
        json.dumps({"targets": [target(frame={"metrics": {"SDR": 10**400}})]}),
        False,
    ),
    "nested 5,000 deep": ('{"targets": ' + "[" * 5000 + "]" * 5000 + "}", False),
    "nested 200,000 deep": ('{"targets": ' + "[" * 200_000, False),
    "nested objects": ('{"targets": ' + '{"a":' * 200_000, False),
    "infinite score": ('{"targets": [' + json.dumps(target()).replace("1.0}", "1e999}") + "]}", True),
    "time that is text": (json.dumps({"targets": [target(frame={"time": "0"})]}), False),
    "no time": (json.dumps({"targets": [target(frame={"time": None})]}), False),
    "time that is true": (json.dumps({"targets": [target(frame={"time": True})]}), False),
    "frames that are text": (json.dumps({"targets": [target(frames="x")]}), False),
    "frames that are a number": (json.dumps({"targets": [target(frames=7)]}), False),
    "metrics that are a list": (json.dumps({"targets": [target(frame={"metrics": []})]}), False),
    "name that is a number": (json.dumps({"targets": [target(name=7)]}), False),
    "no name": (json.dumps({"targets": [target(name="")]}), False),
    "a name twice": (json.dumps({"targets": [target(), target()]}), False),
    "targets that are a number": ('{"targets": 3}', False),
    "targets that are null": ('{"targets": null}', False),
    "a list": ("[]", False),
    "a number": ("7", False),
    "nothing": ("", False),
    "no text": ("\udcff\udcfe\udc80", False),
    "cut off": (json.dumps({"targets": [target()]})[:-9], False),
}  # fmt: skip


@pytest.mark.parametrize("name", MUSEVAL)
def test_a_file_of_museval(tmp_path: Path, name: str) -> None:
    text, sound = MUSEVAL[name]
    path = tmp_path / "theirs" / "track.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert imported("museval", path.parent, tmp_path / "results") is sound


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links as POSIX has them")
def test_pipes_and_links_among_files_of_museval_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (tmp_path / "secret.json").write_text(json.dumps({"targets": [target()]}))
    os.mkfifo(folder / "pipe.json")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "folder.json").mkdir()
    (folder / "elsewhere").symlink_to(tmp_path)
    assert not imported("museval", folder, tmp_path / "results")
    (folder / "track.json").write_text(json.dumps({"targets": [target()]}))
    assert imported("museval", folder, tmp_path / "results")
    assert set(Results(tmp_path / "results").scores().column("track").to_pylist()) == {"track"}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes as POSIX has them")
@pytest.mark.parametrize("kind", ["table", "msst", "webmushra", "ratings", "museval", "benchbench"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert not imported(kind, tmp_path / "pipe.csv", tmp_path / "results")


TABLES = {
    "sound": (HEAD + ROW, True),
    "names that are numbers": (HEAD + "1,2,vocals,SDR,3\n01,002,vocals,SDR,3\n", True),
    "a value of 400 digits": (HEAD + "m,t,vocals,SDR," + "9" * 400 + "\n", True),
    "a value of words": (HEAD + "m,t,vocals,SDR,loud\n", False),
    "gap in a name": (HEAD + ",t,vocals,SDR,1\n" + ROW, True),
    "only gaps": (HEAD + ",t,vocals,SDR,1\n", False),
    "gap in the track": (HEAD + "m,,vocals,SDR,1\n" + ROW, True),
    "seconds of text": (
        "model,track,target,metric,value,start_s\nm,t,vocals,SDR,1,soon\n",
        False,
    ),
    "more cells": (HEAD + "m,t,vocals,SDR,1,2\n", False),
    "no rows": (HEAD, False),
    "no lines": ("", False),
    "one line of nothing": ("\n\n\n", False),
    "columns called alike": ("model,model,target,metric,value\n" + ROW, False),
    "200,000 columns": (
        ",".join(["model,track,target,metric,value", *map(str, range(200_000))])
        + "\nm,t,vocals,SDR,1" + "," * 200_000 + "\n",
        True,
    ),
    "a cell of 10 MB": (HEAD + "m,t,vocals,SDR," + "1" * 10_000_000 + "\n", False),
    "open quotation": (HEAD + '"m,t,vocals,SDR,1\n', False),
    "zeros": (HEAD + "m\0,t,vocals,SDR,1\n", True),
    "names that lead out": (HEAD + "../../m,../../t,../v,../S,1\n", True),
    "a formula": (HEAD + "=cmd|'/c calc'!A0,t,vocals,SDR,1\n", True),
    "control characters": (HEAD + "\x1b]0;x\x07,t,vocals,SDR,1\n", True),
    "another encoding": (HEAD + "m\udce9,t,vocals,SDR,1\n", False),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_text(tmp_path: Path, name: str) -> None:
    text, sound = TABLES[name]
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "table.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert imported("table", path, tmp_path / "results") is sound
    outside = {p.name for p in tmp_path.iterdir()} - {"in", "results"}
    assert not outside


def columns(**changes: Any) -> pa.Table:
    plain: dict[str, Any] = {
        "model": ["m"], "track": ["t"], "target": ["vocals"], "metric": ["SDR"], "value": [1.0],
    }  # fmt: skip
    return pa.table(plain | changes)


PARQUET: dict[str, tuple[Callable[[], pa.Table], bool]] = {
    "sound": (columns, True),
    "names that are numbers": (lambda: columns(model=[7], track=[3.5]), True),
    "names that are lists": (lambda: columns(model=[["a", "b"]]), False),
    "names that are bytes": (lambda: columns(model=[b"\xff\xfe"]), True),
    "names that are null": (lambda: columns(model=pa.nulls(1)), False),
    "values that are text": (lambda: columns(value=["loud"]), False),
    "values that are lists": (lambda: columns(value=[[1.0]]), False),
    "values that are dates": (lambda: columns(value=pa.array([1], pa.timestamp("s"))), False),
    "values that are true": (lambda: columns(value=[True]), False),
    "values without bound": (lambda: columns(value=[float("inf")]), True),
    "seconds that are records": (lambda: columns(start_s=[{"a": 1}]), False),
    "no columns": (lambda: pa.table({}), False),
    "another index": (
        lambda: columns().replace_schema_metadata(
            {"pandas": '{"index_columns": ["nothing"], "columns": [], "column_indexes": [7]}'}
        ),
        True,
    ),
    "no JSON for pandas": (
        lambda: columns().replace_schema_metadata({"pandas": "{" * 9999}),
        False,
    ),
}


@pytest.mark.parametrize("name", PARQUET)
def test_a_table_of_parquet(tmp_path: Path, name: str) -> None:
    make, sound = PARQUET[name]
    pq.write_table(make(), tmp_path / "table.parquet")
    assert imported("table", tmp_path / "table.parquet", tmp_path / "results") is sound


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"x" * 999])
def test_a_table_that_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table.parquet").write_bytes(content)
    assert not imported("table", tmp_path / "table.parquet", tmp_path / "results")


def test_a_table_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    text = pa.array(["x" * 20_000_000] * 10)
    row = {name: ["a"] * 10 for name in ("track", "target", "metric")}
    table = pa.table({"model": text, **row, "value": np.arange(10.0)})
    pq.write_table(table, tmp_path / "table.parquet", compression="zstd", use_dictionary=False)
    assert not imported("table", tmp_path / "table.parquet", tmp_path / "results")


MAPPINGS = [
    "", "[", "columns = 3", "[columns]\nmodel = 3", "[columns]\nnobody = 'x'", "unknown = 1",
    "[rename]\nmodel = 'x'", "[rename.model]\na = 1", "[constant]\nmetric = [1]",
    "metric_version = 'one'", "metric_version = 1.5", "metric_version = true", "[metrics]\nSDR = 1",
    "[metrics]\nSDR = 'nothing'", "[columns]\nmodel = 'nothing'", "a = " + "[" * 100_000,
    "a." * 50_000 + "a = 1", "[columns]\nmodel = 'line_number'", "metric_version = " + "9" * 9999,
    "metric_version = " + "9" * 400, "[columns]\n" + "\n".join(f"k{n} = 'x'" for n in range(9999)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(MAPPINGS)))
def test_a_mapping(tmp_path: Path, number: int) -> None:
    (tmp_path / "table.csv").write_text(HEAD + ROW)
    (tmp_path / "mapping.toml").write_text(MAPPINGS[number])
    sound = imported(
        "table", tmp_path / "table.csv", tmp_path / "results", mapping=tmp_path / "mapping.toml"
    )
    assert sound is (number == 0)


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "NUL", "a\0b", "\x1b[31m", "a" * 999])
def test_a_source_that_is_no_word(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "table.csv").write_text(HEAD + ROW)
    with pytest.raises(BenchbenchError):
        import_results(
            "table", tmp_path / "in" / "table.csv", tmp_path / "results", source=Source(name, "MIT")
        )
    assert {path.name for path in tmp_path.iterdir()} <= {"in", "results"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["museval", "table"])
def test_a_gigabyte_is_refused_by_the_command_line(tmp_path: Path, kind: str) -> None:
    name = "track.json" if kind == "museval" else "table.csv"
    with (tmp_path / name).open("wb") as file:
        file.truncate(1 << 30)
    words = ["--dataset", "d"] if kind == "museval" else []
    done = bench("import", kind, tmp_path / name, "--source", "lab", *words, cwd=tmp_path)
    one_clear_error(done, 2, "bytes; at most")


def test_answers_of_a_listening_test_with_odd_files_beside_them(tmp_path: Path) -> None:
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    lines = ["session_uuid,trial_id,rating_stimulus,rating_score"]
    for model, score in (("reference", 100), ("m", 50), ("mixture", 10)):
        lines.append(f"listener,page,{model},{score}")
    (tmp_path / "mushra.csv").write_text("\n".join(lines) + "\n")
    assert imported("webmushra", tmp_path / "mushra.csv", tmp_path / "results")
