"""The real MLflow, TensorBoard and W&B, offline: what was logged is read back."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from simulate import Plan, simulate

import benchbench
from benchbench.api.observers.tracking import TRACKERS
from benchbench.errors import UnknownNameError
from benchbench.results.interchange.trackers import tensorboard_export

pytestmark = [
    pytest.mark.trackers,
    pytest.mark.filterwarnings("ignore:.*noload.*"),  # SQLAlchemy 2.1 about MLflow's models
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Three models on four tracks in two runs."""
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, Plan(models=3, tracks=4, frames=3, runs=2, stems="two"))
    return root


def expected(results, run_id):
    """The board of one run's own rows, by protocol, metric, target and model."""
    folder = benchbench.Results(results)
    rows = folder.scores_frame()
    rows = rows[(rows["run_id"] == run_id) & rows["band_lo_hz"].isna()]
    ways = {
        name: benchbench.metrics.protocol(name).aggregation for name in rows["protocol"].unique()
    }
    board = benchbench.stats.leaderboard(rows, ways, resamples=2)
    return {
        (row.protocol, row.metric, row.target, row.model): row.value
        for row in board.itertuples()
        if pd.notna(row.value)
    }


def run_ids(results):
    return [run["run_id"] for run in benchbench.Results(results).runs()]


def test_mlflow_holds_every_run_with_its_numbers_hashes_and_page(results, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    benchbench.report([results], results / "report.html", audio="none")
    (database,) = benchbench.export("mlflow", tmp_path / "ml flow", results)
    benchbench.export("mlflow", tmp_path / "ml flow", results)  # replaces, does not double
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{database.as_posix()}")
    (experiment,) = (e for e in client.search_experiments() if e.name.startswith("benchbench"))
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == set(run_ids(results))
    for run_id, run in runs.items():
        assert run.info.status == "FINISHED"
        board = expected(results, run_id)
        assert board
        metrics = {
            k: v for k, v in run.data.metrics.items() if not k.startswith(("tracks/", "speed/"))
        }
        assert sorted(metrics.values()) == pytest.approx(sorted(board.values()))
        assert any(key.endswith("/weights_hash") for key in run.data.params)
        name = next(key for key in run.data.metrics if key.startswith("tracks/"))
        assert {point.step for point in client.get_metric_history(run.info.run_id, name)} <= {
            0,
            1,
            2,
            3,
        }
        files = [one.path for one in client.list_artifacts(run.info.run_id)]
        assert "report.html" in files


@pytest.mark.parametrize("writer", ["tensorboardX", "tensorflow"])
def test_tensorboard_holds_every_scalar(results, tmp_path, monkeypatch, writer):
    pytest.importorskip("tensorboardX")
    pytest.importorskip(writer)
    from tensorboardX.proto.event_pb2 import Event

    monkeypatch.setattr(
        tensorboard_export, "find_spec", lambda name: find_spec(name) if name == writer else None
    )
    folders = benchbench.export("tensorboard", tmp_path / "tb", results)
    assert [folder.name for folder in folders] == run_ids(results)
    for folder in folders:
        scalars, texts = {}, {}
        (path,) = folder.glob("events*")
        for record in records(path):
            for value in Event.FromString(record).summary.value:
                if value.HasField("simple_value"):
                    scalars.setdefault(value.tag, []).append(value.simple_value)
                elif value.metadata.plugin_data.plugin_name == "text":
                    texts[value.tag] = value.tensor.string_val[0].decode()
        board = expected(results, folder.name)
        own = [v[0] for tag, v in scalars.items() if not tag.startswith(("tracks/", "speed/"))]
        assert sorted(own) == pytest.approx(sorted(board.values()), rel=1e-5)
        assert any(len(values) == 4 for tag, values in scalars.items() if tag.startswith("tracks/"))
        assert set(texts) == {"parameters/text_summary", "tracks/text_summary"}
        assert texts["tracks/text_summary"].startswith("| name | value |")


def records(path: Path):
    """The records of a TFRecord file: length, checksum, data, checksum."""
    data, place = path.read_bytes(), 0
    while place < len(data):
        length = int.from_bytes(data[place : place + 8], "little")
        yield data[place + 12 : place + 12 + length]
        place += 16 + length


def test_wandb_holds_every_run_offline(results, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    from wandb.proto import wandb_internal_pb2

    monkeypatch.delenv("WANDB_MODE", raising=False)
    folders = benchbench.export("wandb", tmp_path, results)
    assert len(folders) == 2
    for folder, run_id in zip(folders, run_ids(results), strict=True):
        (path,) = folder.glob("*.wandb")
        summary, config, steps = {}, {}, 0
        for data in log_records(path):
            record = wandb_internal_pb2.Record.FromString(data)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                assert not record.run.host
                assert not record.run.git.commit
            assert kind != "environment", record  # programs, folders, user and hardware
            if kind == "history":
                steps += 1
            for item in record.summary.update if kind == "summary" else ():
                summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
            for item in record.run.config.update if kind == "run" else ():
                config[item.key] = json.loads(item.value_json)
        board = expected(results, run_id)
        assert {"/".join(key) for key in board} <= set(summary)
        for key, value in board.items():
            assert summary["/".join(key)] == pytest.approx(value)
        assert steps == 4
        assert any(key.endswith("weights_hash") for key in config)


def log_records(path: Path):
    """The records of W&B's file: LevelDB's log format after a header of seven bytes.

    Blocks of 32 KiB hold pieces of (checksum, length, kind): 1 whole, 2 first, 3 middle, 4 last.
    """
    data, place, held = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        held += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            yield held
            held = b""


def test_a_run_is_logged_when_asked(small_songs, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = benchbench.run(
        "irm[alpha=1,2]", "folder", root=small_songs, out=tmp_path / "out", metrics="usdr",
        track="mlflow",
    )  # fmt: skip
    database = tmp_path / "out" / "trackers" / "mlflow" / "mlflow.db"
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{database.as_posix()}")
    (experiment,) = (e for e in client.search_experiments() if e.name == "benchbench folder")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == result.run_id
    value = result.leaderboard().xs("vocals", level="target")["usdr/SDR"]
    logged = run.data.metrics["usdr/SDR/vocals/irm.2stems_alpha.1"]
    assert logged == pytest.approx(value.xs("irm:2stems[alpha=1]", level="model").item())
    assert run.data.params["irm.2stems_alpha.1/alpha"] == "1.0"
    assert all(re.fullmatch(r"[\w./ -]+", name) for name in run.data.metrics)


def test_an_unknown_tracker_is_refused_before_anything_runs(small_songs, tmp_path):
    with pytest.raises(UnknownNameError, match="mlflow"):
        benchbench.run("irm", "folder", root=small_songs, out=tmp_path / "out", track="mlfow")
    assert not (tmp_path / "out").exists()
    assert set(TRACKERS) == {"mlflow", "tensorboard", "wandb"}
