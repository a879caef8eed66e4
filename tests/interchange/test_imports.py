import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchbench.comparison import compare
from benchbench.errors import ManifestError, NothingToCompareError, UnknownNameError, UsageError
from benchbench.results.interchange import (
    Mapping,
    Source,
    import_benchbench,
    import_msst,
    import_table,
    read_mapping,
)
from benchbench.results.schema import SCORES
from benchbench.results.store import Results

SOURCE = Source("lab", "CC-BY-4.0")


def stored(root):
    return Results(root).scores_frame().astype({"model": "object", "target": "object"})


# -- tables ------------------------------------------------------------------------------------


def test_a_long_table_with_other_names(tmp_path):
    table = pd.DataFrame(
        {
            "Separator": ["x", "x", "y", None],
            "song": ["a", "b", "a", "a"],
            "stem": ["voice", "drums", "voice", "voice"],
            "dB": ["7.5", "n/a", "inf", "1"],
        }
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "map.toml").write_text(
        """
        [columns]
        model = "Separator"
        track = "song"
        target = "stem"
        value = "dB"
        [constant]
        metric = "SDR"
        protocol = "usdr"
        dataset = "musdb18-hq"
        [rename.target]
        voice = "vocals"
        """
    )
    mapping = read_mapping(tmp_path / "map.toml")
    done = import_table(tmp_path / "t.csv", tmp_path / "r", SOURCE, mapping)
    assert done.models == ("lab:x", "lab:y")
    assert "1 rows without a model" in done.notes[0]
    scores = stored(tmp_path / "r")
    assert set(scores["target"]) == {"vocals", "drums"}
    assert scores["value"].dropna().tolist() == [7.5]
    reasons = scores[scores["value"].isna()].set_index("model")["reason"].to_dict()
    assert reasons == {"lab:x": "not_stated", "lab:y": "not_finite"}
    assert set(scores["protocol"]) == {"usdr"}
    assert set(scores["reference_set"]) == {"unstated"}


def test_a_wide_parquet_table_has_a_column_a_metric(tmp_path):
    table = pd.DataFrame(
        {"model": ["x"], "track": ["a"], "target": ["vocals"], "sdr": [7.0], "si": [6.0]}
    )
    table.to_parquet(tmp_path / "t.parquet")
    mapping = Mapping(metrics={"SDR": "sdr", "SI-SDR": "si"})
    import_table(tmp_path / "t.parquet", tmp_path / "r", SOURCE, mapping)
    scores = stored(tmp_path / "r")
    assert dict(zip(scores["metric"], scores["value"], strict=True)) == {"SDR": 7.0, "SI-SDR": 6.0}
    assert set(scores["protocol"]) == {"lab"}  # no protocol was claimed, so none is shared
    assert set(scores["metric_version"]) == {0}


def test_imported_numbers_are_not_compared_with_ones_of_another_protocol(tmp_path):
    for name, protocol in (("a", "usdr"), ("b", "lab")):
        rows = pd.DataFrame({"model": "x", "track": list("abcdef"), "target": "vocals",
                             "metric": "SDR", "value": np.arange(6.0)})  # fmt: skip
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
        mapping = Mapping(constant={"protocol": protocol, "dataset": "d"})
        import_table(tmp_path / f"{name}.csv", tmp_path / name, SOURCE, mapping)
    row = compare(tmp_path / "a", tmp_path / "b").rows.iloc[0]
    assert (row["verdict"], row["cause"]) == ("incomparable", "protocol")


def test_mistakes_in_tables_and_mappings_are_named(tmp_path):
    pd.DataFrame({"modell": ["x"]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UnknownNameError, match="Did you mean 'modell'"):
        import_table(tmp_path / "t.csv", tmp_path / "r", SOURCE)
    (tmp_path / "t.parquet").write_bytes(b"no parquet")
    with pytest.raises(UsageError, match="cannot be read"):
        import_table(tmp_path / "t.parquet", tmp_path / "r", SOURCE)
    for text, said in (
        ("colums = 1", "Did you mean 'columns'"),
        ("[columns]\ntargets = 'x'", "Did you mean 'target'"),
        ("columns = 1", "must be a table"),
        ("[", "cannot be read"),
    ):
        (tmp_path / "m.toml").write_text(text)
        with pytest.raises(ManifestError) as caught:
            read_mapping(tmp_path / "m.toml")
        assert said in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "../x"])
def test_a_source_is_one_word(name):
    with pytest.raises(UsageError, match="one word"):
        Source(name)


# -- Music-Source-Separation-Training -------------------------------------------------------------

LOG = """\
Total mixtures: 2
Song: /data/test/Al James - Schoolboy Shape: (2, 100)
Instr: vocals
Metric sdr         value: 7.1234
Metric si_sdr      value: 6.5000
Instr: instrum
Metric sdr         value: 12.0000
Time for song: 3.20 sec
Song: C:\\data\\AM Contra Shape: (2, 100)
Instr: vocals
Metric sdr         value: nan
Num overlap: 4
Instr vocals sdr: 7.1234 (Std: 0.0000)
"""


def test_the_log_of_a_validation(tmp_path):
    (tmp_path / "roformer.txt").write_text(LOG)
    done = import_msst(tmp_path / "roformer.txt", tmp_path / "r", SOURCE)
    assert (done.models, done.tracks, done.rows) == (("lab:roformer",), 2, 4)
    scores = stored(tmp_path / "r").set_index(["track", "target", "metric"])
    assert scores.loc[("Al James - Schoolboy", "vocals", "SDR"), "value"] == 7.1234
    assert scores.loc[("Al James - Schoolboy", "accompaniment", "SDR"), "value"] == 12.0
    assert np.isnan(scores.loc[("AM Contra", "vocals", "SDR"), "value"])
    assert set(scores["protocol"]) == {"msst"}
    assert set(scores["reference_set"]) == {"vocals+accompaniment"}


def test_means_over_tracks_cannot_be_compared_and_say_so(tmp_path):
    (tmp_path / "results.txt").write_text("Instr vocals sdr: 7.1234 (Std: 0.0000)\n")
    with pytest.raises(UsageError, match="means over tracks only"):
        import_msst(tmp_path / "results.txt", tmp_path / "r", SOURCE)
    (tmp_path / "other.txt").write_text("hello\n")
    with pytest.raises(UsageError, match="no results of a validation"):
        import_msst(tmp_path / "other.txt", tmp_path / "r", SOURCE)


# -- results of others -----------------------------------------------------------------------------


def own_results(root, model="m:a"):
    row = dict.fromkeys(SCORES.names)
    row |= {"cell_id": "c1", "separation_id": "s1", "run_id": "20260101", "model": model,
            "dataset": "d", "track": "t", "target": "vocals", "reference_set": "r",
            "protocol": "usdr", "metric": "SDR", "metric_version": 1, "value": 1.0}  # fmt: skip
    results = Results(root)
    results.write_scores("c1", model, "d", pa.Table.from_pylist([row], schema=SCORES))
    results.write_run("20260101", {"run_id": "20260101", "models": [{"name": model}]})
    return results


def test_results_of_others_stand_beside_ones_own(tmp_path):
    own_results(tmp_path / "mine")
    own_results(tmp_path / "theirs")
    done = import_benchbench(tmp_path / "theirs", tmp_path / "mine", SOURCE)
    assert done.models == ("lab.m:a",)
    again = import_benchbench(tmp_path / "theirs", tmp_path / "mine", SOURCE)
    assert again.rows == 1
    assert sorted(stored(tmp_path / "mine")["model"]) == ["lab.m:a", "m:a"]
    assert sorted(stored(tmp_path / "theirs")["model"]) == ["m:a"]
    with pytest.raises(UsageError, match="folder to import into"):
        import_benchbench(tmp_path / "mine", tmp_path / "mine", SOURCE)
    with pytest.raises(UsageError, match="no results"):
        import_benchbench(tmp_path / "none", tmp_path / "mine", SOURCE)


def test_a_folder_without_scores_brings_nothing(tmp_path):
    (tmp_path / "empty" / "runs").mkdir(parents=True)
    with pytest.raises(NothingToCompareError):
        import_benchbench(tmp_path / "empty", tmp_path / "mine", SOURCE)
