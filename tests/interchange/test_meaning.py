"""An imported value keeps its meaning, and what cannot be understood is refused with its place."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import benchbench
from benchbench.errors import UnknownNameError, UsageError
from benchbench.results.interchange import (
    Mapping,
    Roles,
    Source,
    export_museval,
    import_msst,
    import_museval,
    import_table,
    tidy_csv,
)
from benchbench.results.schema import SCORES
from benchbench.results.store import Results

SOURCE = Source("lab", "CC-BY-4.0")


def stored(root: Path) -> pd.DataFrame:
    frame = Results(root).scores_frame()
    text = dict.fromkeys(("model", "track", "target", "metric", "reason"), "object")
    return frame.astype(text)


def museval_file(path: Path, frames: list[dict[str, object]], name: str = "vocals") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"time": float(index), "duration": 1.0, "metrics": metrics}
        for index, metrics in enumerate(frames)
    ]
    path.write_text(json.dumps({"targets": [{"name": name, "frames": rows}]}))
    return path


FULL = {"SDR": 1.0, "SIR": 2.0, "SAR": 3.0, "ISR": 4.0}

# -- museval -----------------------------------------------------------------------------------


def test_museval_rows_are_what_the_file_holds_and_reasons_what_is_known(tmp_path: Path) -> None:
    nan = float("nan")
    frames = [
        FULL,
        dict.fromkeys(FULL, nan),  # museval's way to leave a frame out
        FULL | {"SDR": nan},
        FULL | {"SAR": None},
        {"SDR": 5.0},
        FULL | {"SDR": float("inf"), "SIR": float("-inf")},
    ]
    museval_file(tmp_path / "TAK2" / "test" / "A. B. feat. C.json", frames)
    import_museval(tmp_path, tmp_path / "r", SOURCE)
    rows = stored(tmp_path / "r").set_index(["start_s", "metric"]).sort_index()
    assert len(rows) == 4 * 5 + 1  # no row for what a frame lacks
    assert set(rows["track"]) == {"A. B. feat. C"}
    assert rows.loc[(1.0, "SDR"), "reason"] == "silent_source_in_frame"
    assert rows.loc[(2.0, "SDR"), "reason"] == "not_stated"
    assert rows.loc[(2.0, "SIR"), "value"] == 2.0
    assert rows.loc[(3.0, "SAR"), "reason"] == "not_stated"
    assert (rows.loc[(5.0, "SDR"), "value"], rows.loc[(5.0, "SDR"), "reason"]) == (300.0, "capped")
    assert (rows.loc[(5.0, "SIR"), "value"], rows.loc[(5.0, "SIR"), "reason"]) == (-150.0, "capped")
    assert list(rows.loc[4.0].index) == ["SDR"]


def test_two_files_of_one_song_and_one_frame_twice_are_refused(tmp_path: Path) -> None:
    for subset in ("train", "test"):
        museval_file(tmp_path / "two" / "net" / subset / "Song.json", [FULL])
    with pytest.raises(UsageError, match=r"test/Song\.json and .*train/Song\.json"):
        import_museval(tmp_path / "two", tmp_path / "r", SOURCE)
    path = museval_file(tmp_path / "one" / "net" / "test" / "Song.json", [FULL, FULL])
    data = json.loads(path.read_text())
    data["targets"][0]["frames"][1]["time"] = 0.0
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"Song\.json.*vocals has the frame at 0\.0 s twice"):
        import_museval(tmp_path / "one", tmp_path / "r", SOURCE)
    data["targets"].append(data["targets"][0])
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="twice"):
        import_museval(tmp_path / "one", tmp_path / "r", SOURCE)
    assert not (tmp_path / "r").exists() or not list((tmp_path / "r").rglob("*.parquet"))


def test_one_file_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = museval_file(tmp_path / "TAK2" / "test" / "Song.json", [FULL])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    done = import_museval(path, tmp_path / "r", SOURCE)
    assert (done.models, done.rows) == (("lab:TAK2",), 4)
    path.write_bytes(path.read_bytes()[3:].decode().encode("utf-16"))
    assert import_museval(path, tmp_path / "r2", SOURCE).rows == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"targets": [{"name": "v", "frames": [{"time": 0, "duration": 1}]}]}', "no 'metrics'"),
        ('{"targets": [{"name": "v", "frames": [{"time": "0", "duration": 1, "metrics": {}}]}]}',
         "time is not a number but str"),
        ('{"targets": [{"name": "v", "frames": [{"time": 0, "duration": 1, '
         '"metrics": {"SDR": "7,5"}}]}]}', "SDR is not a number but str"),
        ('{"targets": [{"name": null, "frames": []}]}', "called None"),
        ("[" * 100_000, "RecursionError|Expecting"),
    ],
)  # fmt: skip
def test_a_museval_file_that_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "x.json").write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        import_museval(tmp_path, tmp_path / "r", SOURCE)
    assert "x.json" in str(caught.value)


def test_an_import_that_fails_leaves_nothing(tmp_path: Path) -> None:
    museval_file(tmp_path / "in" / "a" / "test" / "Song.json", [FULL])
    museval_file(tmp_path / "in" / "b" / "test" / "Song.json", [FULL]).write_text("{")
    with pytest.raises(UsageError, match=r"b/test/Song\.json"):
        import_museval(tmp_path / "in", tmp_path / "r", SOURCE)
    assert not list((tmp_path / "r").rglob("*.parquet"))
    assert not list((tmp_path / "r").rglob("run.json"))


# -- export and back -----------------------------------------------------------------------------


def frames_with_condition(protocol: str = "bsseval-v4", dataset: str = "d") -> pa.Table:
    metrics = ("SDR", "SIR", "SAR", "ISR")
    frames = [(start, metric) for start in (0.0, 1.0) for metric in metrics]
    rows = [
        dict.fromkeys(SCORES.names)
        | {"cell_id": "c", "run_id": "r", "model": "net:a", "dataset": dataset, "track": "t",
           "target": "vocals", "reference_set": "vocals", "protocol": protocol,
           "metric": metric, "metric_version": 1, "start_s": start,
           "duration_s": None if start is None else 1.0,
           "value": None if start == 1.0 else 3.25,
           "reason": "silent_source_in_frame" if start == 1.0 else None}
        for start, metric in [*frames, (None, "log10-condition")]
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCORES)


def test_each_frame_is_exported_once_and_comes_back_as_it_was(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    results.write_scores("c", "net:a", "d", frames_with_condition())
    (path,) = export_museval(results, tmp_path / "out")
    (target,) = json.loads(path.read_text())["targets"]
    assert [frame["time"] for frame in target["frames"]] == [0.0, 1.0]
    assert target["frames"][0]["metrics"] == dict.fromkeys(("SDR", "SIR", "SAR", "ISR"), 3.25)
    import_museval(tmp_path / "out", tmp_path / "again", SOURCE)
    before = results.scores_frame(columns=["metric", "start_s", "value", "reason"])
    before = before[before["start_s"].notna()]
    again = stored(tmp_path / "again")[["metric", "start_s", "value", "reason"]]
    order = ["metric", "start_s"]
    pd.testing.assert_frame_equal(
        before.astype({"metric": "object", "reason": "object"})
        .sort_values(order).reset_index(drop=True),
        again.sort_values(order).reset_index(drop=True),
    )  # fmt: skip


@pytest.mark.parametrize("protocol", ["usdr", "windows", "bsseval-v4-active", "lab"])
def test_no_other_number_is_written_under_musevals_names(tmp_path: Path, protocol: str) -> None:
    results = Results(tmp_path / "results")
    results.write_scores("c", "net:a", "d", frames_with_condition(protocol))
    with pytest.raises(UsageError, match=f"museval does not compute {protocol}"):
        export_museval(results, tmp_path / "out", protocol=protocol)
    assert not (tmp_path / "out").exists()


def test_two_data_sets_are_not_mixed_in_one_export(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    for dataset in ("d", "e"):
        results.write_scores(dataset, "net:a", dataset, frames_with_condition(dataset=dataset))
    with pytest.raises(UsageError, match="several data sets: d, e"):
        export_museval(results, tmp_path / "out")
    assert len(export_museval(results, tmp_path / "out", dataset="e")) == 1


# -- tables --------------------------------------------------------------------------------------

HEADER = "model,track,target,metric,value"


def table(path: Path, *lines: str, end: str = "\n", encoding: str = "utf-8") -> Path:
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    return path


def test_names_are_taken_whole(tmp_path: Path) -> None:
    names = ["NA", "007", "null", "1e5", "a:b", "'quoted'", " padded ", 'Süße, & "Song"']
    rows = [f'x,"{name.replace(chr(34), chr(34) * 2)}",vocals,SDR,1' for name in names]
    path = table(tmp_path / "t.csv", HEADER, *rows, "net:v1:b,t,vocals,SDR,2")
    done = import_table(path, tmp_path / "r", SOURCE)
    assert set(stored(tmp_path / "r")["track"]) == {*names, "t"}
    assert done.models == ("lab:net:v1:b", "lab:x")


@pytest.mark.parametrize(
    ("separator", "end", "encoding", "value"),
    [
        (",", "\r\n", "utf-8-sig", "7.25"),
        (";", "\r\n", "utf-8-sig", "7,25"),
        (";", "\n", "utf-16", "7,25"),
        ("\t", "\n", "utf-8", "7,25"),
        (",", "\n", "utf-8", '"7,25"'),
        (",", "\n", "utf-8", "\N{MINUS SIGN}7.25"),
    ],
)
def test_marks_line_ends_separators_and_decimal_commas(
    tmp_path: Path, separator: str, end: str, encoding: str, value: str
) -> None:
    lines = [HEADER.replace(",", separator), separator.join(["x", "t", "vocals", "SDR", value])]
    import_table(
        table(tmp_path / "t.csv", *lines, end=end, encoding=encoding), tmp_path / "r", SOURCE
    )
    assert stored(tmp_path / "r")["value"].abs().tolist() == [7.25]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([HEADER, "x,t,vocals,SDR,1", "x,u,vocals,SDR,good"], r"line 3: value is 'good'"),
        ([HEADER, "x,t,vocals,SDR,1", "x,u,vocals,SDR"], r"line 3: 4 cells.* 5 columns"),
        ([HEADER, 'x,"t\nu",vocals,SDR,1', "x,v,vocals,SDR,1_0"], r"line 4: value is '1_0'"),
        ([HEADER, 'x,"t,vocals,SDR,1'], r"line 2"),
        ([HEADER, "x,t,vocals,SDR,1", "y,t,vocals,SDR,1", "x,t,vocals,SDR,2"],
         r"lines 2, 4: SDR of vocals on t is given 2 times"),
        (["model,model,track,target,metric,value", "x,x,t,v,SDR,1"], "called alike"),
    ],
)  # fmt: skip
def test_mistakes_have_a_line(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        import_table(table(tmp_path / "t.csv", *lines), tmp_path / "r", SOURCE)
    assert "t.csv" in str(caught.value)
    assert not list((tmp_path / "r").rglob("*.parquet"))


def test_text_that_is_no_utf8_is_named_by_line(tmp_path: Path) -> None:
    table(tmp_path / "t.csv", HEADER, "x,Müller,vocals,SDR,1", encoding="latin-1")
    with pytest.raises(UsageError, match="line 2: byte"):
        import_table(tmp_path / "t.csv", tmp_path / "r", SOURCE)


def test_infinity_is_capped_where_our_own_scores_are(tmp_path: Path) -> None:
    lines = [f"x,{metric},vocals,{metric},{value}"
             for metric, value in (("SDR", "inf"), ("SIR", "-Infinity"), ("SAR", "n/a"))]  # fmt: skip
    path = table(tmp_path / "t.csv", HEADER, *lines)
    mapping = Mapping(constant={"protocol": "bsseval-v4"}, metric_version=1)
    import_table(path, tmp_path / "known", SOURCE, mapping)
    import_table(path, tmp_path / "own", SOURCE)
    known, own = (stored(tmp_path / name).set_index("metric") for name in ("known", "own"))
    assert known["value"].to_dict()["SDR"] == 300.0
    assert known["value"].to_dict()["SIR"] == -150.0
    assert known["reason"].to_dict() == {"SDR": "capped", "SIR": "capped", "SAR": "not_stated"}
    assert own["reason"].to_dict() == {
        "SDR": "not_finite", "SIR": "not_finite", "SAR": "not_stated",
    }  # fmt: skip
    assert own["value"].isna().all()


def test_reasons_of_others_are_not_turned_into_ours(tmp_path: Path) -> None:
    lines = ["x,a,vocals,SDR,,cat", "x,b,vocals,SDR,,silent_reference", "x,c,vocals,SDR,1,"]
    import_table(table(tmp_path / "t.csv", f"{HEADER},reason", *lines), tmp_path / "r", SOURCE)
    reasons = stored(tmp_path / "r").set_index("track")["reason"]
    assert reasons["a"] == "not_stated"
    assert reasons["b"] == "silent_reference"
    assert pd.isna(reasons["c"])


# -- logs of MSST ----------------------------------------------------------------------------------


def test_names_of_a_log_are_taken_whole(tmp_path: Path) -> None:
    lines = [
        r"Song: /data/AC\DC Shape: of You Shape: (2, 100)",
        "Instr: lead vocals",
        "Metric sdr         value: 7,1234",
        "Metric l1_snr      value: inf",
    ]
    (tmp_path / "log.txt").write_bytes("\r\n".join(lines).encode("utf-16"))
    import_msst(tmp_path / "log.txt", tmp_path / "r", SOURCE, model="net: v2")
    rows = stored(tmp_path / "r").set_index("metric")
    assert rows["track"].unique().tolist() == [r"AC\DC Shape: of You"]
    assert rows["target"].unique().tolist() == ["lead vocals"]
    assert rows["model"].unique().tolist() == ["lab:net: v2"]
    assert rows.loc["SDR", "value"] == 7.1234
    assert rows.loc["L1-SNR", "reason"] == "not_finite"


def test_a_song_twice_in_a_log_is_refused_with_its_lines(tmp_path: Path) -> None:
    song = ["Song: /a/Song Shape: (2, 1)", "Instr: vocals", "Metric sdr value: 1.0"]
    (tmp_path / "log.txt").write_text("\n".join([*song, *song]))
    with pytest.raises(UsageError, match="lines 3, 6: SDR of vocals on Song is given 2 times"):
        import_msst(tmp_path / "log.txt", tmp_path / "r", SOURCE)
    (tmp_path / "log.txt").write_text("\n".join([*song[:2], "Metric sdr value: high"]))
    with pytest.raises(UsageError, match="line 3: value is 'high'"):
        import_msst(tmp_path / "log.txt", tmp_path / "r", SOURCE)


# -- oracles, baselines, known sources ---------------------------------------------------------------


def test_oracles_and_baselines_are_declared(tmp_path: Path) -> None:
    for method in ("IRM2", "MIX", "TAK2"):
        museval_file(tmp_path / "in" / method / "test" / "Song.json", [FULL])
    benchbench.import_results(
        "museval", tmp_path / "in", tmp_path / "r", source=SOURCE, oracle=["IRM2"], baseline=["MIX"]
    )
    (run,) = Results(tmp_path / "r").runs()
    roles = {model["variant"]: (model["oracle"], model["baseline"]) for model in run["models"]}
    assert roles == {"IRM2": (True, False), "MIX": (False, True), "TAK2": (False, False)}
    with pytest.raises(UnknownNameError, match="Did you mean 'IRM2'"):
        import_museval(tmp_path / "in", tmp_path / "r2", SOURCE, roles=Roles(frozenset({"IRM1"})))
    assert not list((tmp_path / "r2").rglob("*.parquet"))


def test_sisec18_is_imported_by_name(tmp_path: Path) -> None:
    for number, method in enumerate(("IRM2", "MIX", "TAK2", "UHL2")):
        for track in range(6):
            value = {"SDR": 4.0 * (3 - number) + track}
            frames = [FULL | value, FULL | value]
            place = tmp_path / "repo" / "submissions" / method / "test" / f"{track}.json"
            museval_file(place, frames)
    done = benchbench.import_results("sisec18", tmp_path / "repo", tmp_path / "r")
    assert done.models == ("sisec18:IRM2", "sisec18:MIX", "sisec18:TAK2", "sisec18:UHL2")
    (run,) = Results(tmp_path / "r").runs()
    assert [model["variant"] for model in run["models"] if model["oracle"]] == ["IRM2"]
    assert [model["variant"] for model in run["models"] if model["baseline"]] == ["MIX"]
    assert "2018 Signal Separation" in run["imported"]["citation"]
    page = benchbench.report([tmp_path / "r"], tmp_path / "report.html").read_text(encoding="utf-8")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert re.search(r"sisec18:TAK2 (separates|leads|is)", words)
    assert not re.search(r"sisec18:(IRM2|MIX) (separates|leads|is ahead)", words)
    same = benchbench.import_results(
        "museval", tmp_path / "repo" / "submissions", tmp_path / "r2", source=Source("sisec18")
    )
    (run,) = Results(tmp_path / "r2").runs()
    assert same.rows == done.rows
    assert [model["variant"] for model in run["models"] if model["oracle"]] == ["IRM2"]


def test_stemsplit_is_imported_by_name(tmp_path: Path) -> None:
    columns = {"model_id": [], "track_id": [], "stem": []}
    for model in ("htdemucs", "mdx"):
        stems = ("vocals", "drums", "bass", "other") if model == "htdemucs" else ("vocals",)
        for track in ("A", "B", "C"):
            for stem in stems:
                for column, value in zip(columns, (model, track, stem), strict=True):
                    columns[column].append(value)
    frame = pd.DataFrame(columns)
    for place, name in enumerate(("sdr", "isr", "sir", "sar")):
        frame[f"{name}_median"] = np.arange(len(frame)) + 100.0 * place
        frame[f"{name}_mean"] = -1.0
    frame.loc[0, "sdr_median"] = np.nan
    frame["n_frames"], frame["rtf"] = 200, 0.3
    frame.to_parquet(tmp_path / "metrics.parquet")
    done = benchbench.import_results("stemsplit", tmp_path / "metrics.parquet", tmp_path / "r")
    assert (done.models, done.rows) == (("stemsplit:htdemucs", "stemsplit:mdx"), 15 * 4)
    rows = stored(tmp_path / "r")
    one = rows[(rows["track"] == "B") & (rows["target"] == "drums")].set_index("metric")["value"]
    assert one.to_dict() == {"SDR": 5.0, "ISR": 105.0, "SIR": 205.0, "SAR": 305.0}
    assert rows["reason"].dropna().tolist() == ["not_stated"]
    sets = rows.astype({"reference_set": "object"}).groupby("model")["reference_set"].unique()
    assert sets["stemsplit:htdemucs"].tolist() == ["vocals+drums+bass+other"]
    assert sets["stemsplit:mdx"].tolist() == ["vocals"]
    assert set(rows["protocol"]) == {"bsseval-v4-medians"}
    (run,) = Results(tmp_path / "r").runs()
    assert run["imported"]["licence"] == "CC-BY-4.0"
    frame.drop(columns="sdr_median").to_parquet(tmp_path / "other.parquet")
    with pytest.raises(UnknownNameError, match="sdr_median"):
        benchbench.import_results("stemsplit", tmp_path / "other.parquet", tmp_path / "r3")


# -- CSV ---------------------------------------------------------------------------------------------


def results_with(path: Path, model: str, track: str, values: dict[str, list[float]]) -> Results:
    results = Results(path)
    for protocol, numbers in values.items():
        rows = [
            dict.fromkeys(SCORES.names)
            | {"cell_id": protocol, "run_id": "r", "model": model, "dataset": "d",
               "track": f"{track}{index}", "target": "vocals", "reference_set": "vocals",
               "protocol": protocol, "metric": "SDR", "metric_version": 1, "value": value}
            for index, value in enumerate(numbers)
        ]  # fmt: skip
        results.write_scores(protocol, model, "d", pa.Table.from_pylist(rows, SCORES))
    return results


def test_csv_of_models_takes_each_protocols_own_aggregation(tmp_path: Path) -> None:
    numbers = {"usdr": [1.0, 2.0, 9.0], "bsseval-v4": [1.0, 2.0, 9.0]}
    results = results_with(tmp_path, "net:a", "t", numbers)
    board = pd.read_csv(io.StringIO(tidy_csv(results, "models"))).set_index("protocol")
    assert board.loc["usdr", ["value", "aggregation"]].tolist() == [4.0, "mean over tracks"]
    assert board.loc["bsseval-v4", "value"] == 2.0
    chosen = tidy_csv(results, "models", aggregation="median over tracks")
    assert set(pd.read_csv(io.StringIO(chosen))["value"]) == {2.0}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
@pytest.mark.parametrize("level", ["frames", "tracks"])
def test_a_spreadsheet_runs_no_name(tmp_path: Path, sign: str, level: str) -> None:
    name = f"{sign}cmd|'/c calc'!A1"
    results = results_with(tmp_path / "r", f"{sign}net:a", name, {"usdr": [-1.5]})
    text = tidy_csv(results, level)  # type: ignore[arg-type]
    assert f"'{name}0" in text
    assert ",-1.50000," in text  # numbers stay numbers
    for line in text.splitlines()[1:]:
        assert not line.replace("-1.50000", "").startswith(tuple("=+-@"))
        assert not any(cell.startswith(tuple("=+@")) for cell in line.split(","))
    (tmp_path / "t.csv").write_text(text)
    import_table(tmp_path / "t.csv", tmp_path / "again", SOURCE)
    assert stored(tmp_path / "again")["track"].tolist() == [f"{name}0"]
    assert stored(tmp_path / "again")["model"].tolist() == [f"lab:{sign}net:a"]
