"""museval itself is the peer: its store must find the same aggregates in what goes in and out."""

import importlib
import json
import sys
import types

import jsonschema
import numpy as np
import pytest

from benchbench.errors import NothingToCompareError, UsageError
from benchbench.results.interchange import Source, export_museval, import_museval
from benchbench.results.store import Results
from benchbench.stats import leaderboard

TARGETS = ("vocals", "drums", "bass", "other", "accompaniment")
METRICS = ("SDR", "SIR", "SAR", "ISR")
SOURCE = Source("sisec18", "CC-BY-4.0", "Stöter et al. 2018", "https://sisec18.unmix.app")


@pytest.fixture(scope="module")
def museval():
    """museval, whose import asks for an ffmpeg program that these tests have no use for."""
    known = {name for name in sys.modules if name.split(".")[0] in {"museval", "musdb", "stempeg"}}
    if "museval" not in known:
        sys.modules.setdefault("stempeg", types.ModuleType("stempeg"))
    try:
        yield importlib.import_module("museval")
    finally:
        for name in list(sys.modules):
            if name.split(".")[0] in {"museval", "musdb", "stempeg"} and name not in known:
                del sys.modules[name]


def write_tree(museval, root, methods=("TAK2", "IRM1"), tracks=3, frames=7):
    generator = np.random.default_rng(0)
    for method in methods:
        for number in range(tracks):
            store = museval.TrackStore(track_name=f"Artist {number} - Süße & Song")
            silent = generator.random(frames) < 0.3
            for target in TARGETS:
                values = {metric: generator.normal(6, 4, frames) for metric in METRICS}
                for metric in METRICS:
                    values[metric][silent] = np.nan
                values["SDR"][0] = np.inf
                store.add_target(target, {name: list(v) for name, v in values.items()})
            path = root / method / "test" / f"{store.track_name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            store.save(path)
    return root


def aggregates_of(museval, folder, frames="median", tracks="median"):
    store = museval.EvalStore(frames_agg=frames, tracks_agg=tracks)
    store.add_eval_dir(folder)
    return store.agg_frames_tracks_scores()


@pytest.mark.parametrize(
    ("name", "frames", "tracks"),
    [
        ("median of frame medians", "median", "median"),
        ("mean of frame medians", "median", "mean"),
        ("mean of frame means", "mean", "mean"),
        ("median of frame means", "mean", "median"),
    ],
)
def test_import_and_export_keep_the_aggregates_of_museval(tmp_path, museval, name, frames, tracks):
    tree = write_tree(museval, tmp_path / "in")
    import_museval(tree, tmp_path / "results", SOURCE)
    results = Results(tmp_path / "results")
    board = leaderboard(results.scores_frame(), name).set_index(["model", "target", "metric"])
    export_museval(results, tmp_path / "out")
    for method in ("TAK2", "IRM1"):
        theirs = aggregates_of(museval, tree / method, frames, tracks)
        again = aggregates_of(museval, tmp_path / "out" / f"sisec18_{method}", frames, tracks)
        assert len(theirs) == len(again) == 20
        for (target, metric), value in theirs.items():
            ours = board.loc[(f"sisec18:{method}", target, metric), "value"]
            assert ours == pytest.approx(value, abs=1e-5)
            assert again[target, metric] == pytest.approx(value, abs=1e-5)


def test_exported_files_are_valid_and_equal_to_those_that_came_in(tmp_path, museval):
    tree = write_tree(museval, tmp_path / "in", methods=("TAK2",))
    import_museval(tree, tmp_path / "results", SOURCE)
    files = export_museval(Results(tmp_path / "results"), tmp_path / "out")
    assert len(files) == 3
    schema = museval.TrackStore("x").schema
    for file in files:
        out = json.loads(file.read_text())
        jsonschema.validate(out, schema)
        before = json.loads((tree / "TAK2" / "test" / file.name).read_text())
        targets = {target["name"]: target["frames"] for target in before["targets"]}
        for target in out["targets"]:
            frames = targets[target["name"]]
            assert [frame["time"] for frame in target["frames"]] == [f["time"] for f in frames]
            for one, other in zip(target["frames"], frames, strict=True):
                assert one["metrics"] == pytest.approx(other["metrics"], abs=1e-9, nan_ok=True)


def test_imported_rows_say_where_they_come_from(tmp_path, museval):
    tree = write_tree(museval, tmp_path / "in")
    done = import_museval(tree, tmp_path / "results", SOURCE)
    assert done.models == ("sisec18:IRM1", "sisec18:TAK2")
    assert done.tracks == 3
    results = Results(tmp_path / "results")
    scores = results.scores_frame()
    assert scores["separation_id"].isna().all()
    sets = scores.drop_duplicates("target").set_index("target")["reference_set"].to_dict()
    assert sets["vocals"] == sets["accompaniment"] == "vocals+accompaniment"
    assert sets["drums"] == sets["bass"] == "vocals+drums+bass+other"
    missing = scores[scores["value"].isna()]
    frames = missing.groupby(["model", "track", "target", "start_s"], observed=True)
    for _, frame in frames:  # museval writes an infinite SDR as NaN, and does not say so
        silent = len(frame) == 4
        assert set(frame["reason"]) == {"silent_source_in_frame" if silent else "not_stated"}
    (run,) = results.runs()
    assert run["imported"]["licence"] == "CC-BY-4.0"
    assert run["models"][0]["licence"]["scores"] == "CC-BY-4.0"
    assert "Stöter" in run["dataset"]["notice"]


def test_the_same_import_twice_is_stored_once(tmp_path, museval):
    tree = write_tree(museval, tmp_path / "in")
    for _ in range(2):
        import_museval(tree, tmp_path / "results", SOURCE)
    results = Results(tmp_path / "results")
    assert len(results.runs()) == 1
    assert len(results.scores_frame()) == 2 * 3 * 5 * 4 * 7


def test_one_method_without_folders_is_called_as_its_folder(tmp_path, museval):
    tree = write_tree(museval, tmp_path / "in", methods=("MWF",))
    done = import_museval(tree / "MWF" / "test", tmp_path / "r1", SOURCE)
    assert done.models == ("sisec18:MWF",)
    assert import_museval(tree / "MWF", tmp_path / "r2", SOURCE).models == ("sisec18:MWF",)


@pytest.mark.parametrize("text", ["{", "[]", '{"targets": [{"name": "vocals"}]}', '{"x": 1}'])
def test_a_file_that_is_not_of_museval_is_named(tmp_path, text):
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(UsageError, match=r"odd\.json"):
        import_museval(tmp_path, tmp_path / "results", SOURCE)
    assert not (tmp_path / "results").exists()


def test_nothing_to_import_or_export_is_said(tmp_path):
    with pytest.raises(NothingToCompareError):
        import_museval(tmp_path, tmp_path / "results", SOURCE)
    with pytest.raises(NothingToCompareError, match="bsseval-v4"):
        export_museval(Results(tmp_path), tmp_path / "out")
