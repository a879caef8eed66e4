"""Results in Python and in notebooks: tables, figures, sound, and a bar while a run works."""

from __future__ import annotations

import re

import pytest
from matplotlib.figure import Figure

import benchbench
from benchbench.api.observers.notebook_progress import NotebookProgress
from benchbench.errors import NothingToCompareError, UnknownNameError
from benchbench.running.events import Finished, Planned, ScoresReady, Separated, Started
from tests.conftest import tones, write_track


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with songs and results."""
    place = tmp_path_factory.mktemp("work")
    for number, name in enumerate(("first", "second", "third")):
        write_track(place / "songs" / name, tones(2.0, seed=number))
    return place


def run(place, models, **options):
    folders = {"root": place / "songs", "out": place / "results"}
    return benchbench.run(models, "folder", report=False, **folders, **options)


@pytest.fixture(scope="module")
def result(place):
    run(place, "silence", metrics="usdr", tracks="first")
    metrics = "usdr,si,bands-octave,windows"
    return run(place, "irm[alpha=1,2],mixture", metrics=metrics, tracks="first,second")


MODELS = {"irm:2stems[alpha=1]", "irm:2stems", "mixture:2stems"}


def test_a_run_shows_its_own_rows_only(result):
    own = result.scores_frame()
    assert set(own["model"]) == MODELS
    assert set(own["track"]) == {"first", "second"}
    assert set(own["protocol"]) == {"usdr", "si", "bands-octave", "windows"}
    assert "silence:2stems" in set(result.results.scores_frame()["model"])
    assert len(result.separations_frame()) == 6
    assert result.models == ("irm:2stems[alpha=1]", "irm:2stems", "mixture:2stems")


def test_what_was_stored_before_belongs_to_the_run_that_asks_for_it(place, result):
    again = run(place, ["irm[alpha=1]"], metrics=["usdr"], tracks=["first"])
    assert (again.tally.ok, again.present) == (0, 1)
    frame = again.scores_frame()
    assert set(zip(frame["model"], frame["track"], frame["protocol"], strict=True)) == {
        ("irm:2stems[alpha=1]", "first", "usdr")
    }


def test_the_leaderboard_holds_each_metric_and_the_best_first(result):
    board = result.leaderboard()
    assert list(board.columns)[:3] == ["usdr/SDR", "usdr/SA-SDR", "si/SI-SDR"]
    vocals = board.xs("vocals", level="target")["usdr/SDR"]
    models = list(vocals.index.get_level_values("model"))
    assert models[-1] == "mixture:2stems"
    rows = result.scores_frame().query("protocol == 'usdr' and target == 'vocals'")
    mean = rows[rows["model"] == "irm:2stems"]["value"].mean()
    assert vocals.xs("irm:2stems", level="model").item() == pytest.approx(mean)


def test_a_leaderboard_of_one_metric_has_a_column_per_target_and_the_mean(result):
    board = result.leaderboard("usdr/SDR")
    assert list(board.columns) == ["mean", "vocals", "accompaniment"]
    assert board["mean"].is_monotonic_decreasing
    assert (board[["vocals", "accompaniment"]].mean(axis=1) - board["mean"]).abs().max() < 1e-12
    with pytest.raises(UnknownNameError, match="usdr/SDR"):
        result.leaderboard("usdr/SDX")


def test_a_notebook_shows_the_leaderboard(result):
    shown = result._repr_html_()
    assert all(f"<th>{model}</th>" in shown for model in MODELS)
    assert "silence" not in shown
    folder = benchbench.Results(str(result.root))
    assert "silence:2stems" in folder._repr_html_()
    assert str(result.root) in repr(folder)


def test_an_empty_folder_says_so(tmp_path):
    empty = benchbench.Results(tmp_path / "none")
    assert "no scores" in empty._repr_html_()
    with pytest.raises(NothingToCompareError):
        empty.leaderboard()


@pytest.mark.parametrize(
    ("name", "arguments", "drawn"),
    [
        ("leaderboard", {}, MODELS),
        ("tracks", {"metric": "si/SI-SDR"}, MODELS),
        ("differences", {"baseline": "mixture:2stems"}, MODELS - {"mixture:2stems"}),
        ("frequency", {"target": "vocals"}, MODELS),
        ("time", {"track": "first"}, MODELS),
        ("cost", {}, MODELS),
    ],
)
def test_figures_show_every_model(result, name, arguments, drawn):
    figure = getattr(result.plot, name)(**arguments)
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    axes = figure.axes[0]
    legend = axes.get_legend()
    words = [text.get_text() for text in axes.get_yticklabels() + axes.texts]
    words += [text.get_text() for text in legend.get_texts()] if legend else []
    assert drawn <= set(words)
    assert name in dir(result.plot)


def test_settings_of_one_model_are_joined_in_the_cost_figure(result):
    axes = result.plot.cost().axes[0]
    assert sorted(len(line.get_xdata()) for line in axes.lines if len(line.get_xdata())) == [1, 2]


def test_figures_of_what_is_not_there_say_how_to_get_it(result):
    with pytest.raises(UnknownNameError, match="mixture:2stems"):
        result.plot.differences("mixtur")
    with pytest.raises(UnknownNameError, match="usdr/SDR"):
        result.plot.tracks("usdr/SD")
    with pytest.raises(UnknownNameError, match="first"):
        result.plot.time("frist")


def test_the_player_of_a_track_stands_alone(result, tmp_path):
    player = result.listen("second", "vocals")
    page = player.save(tmp_path / "cell.html").read_text(encoding="utf-8")
    kinds = re.findall(r'data-kind="(\w+)"', page)
    assert kinds.count("mixture") == kinds.count("reference") == 1
    assert kinds.count("estimate") >= 1
    assert page.count("data:audio/mpeg;base64,") == len(kinds)
    assert "://" not in page.replace("http://www.w3.org", "")
    assert player._repr_html_().startswith("<iframe")
    with pytest.raises(UnknownNameError, match="second"):
        result.listen("secnd")


def test_a_notebook_shows_how_far_a_run_is():
    shown = NotebookProgress()
    shown._show = lambda *, last: None
    for event in (
        Planned(2, 0, ("a", "b"), 1),
        Started("a", "t"),
        ScoresReady("a", "t", {}),
        Separated("b", "t", "crashed", "<signal 9>", None, None),
    ):
        shown(event)
    assert '<progress value="2" max="2">' in shown.html()
    assert "b on t: crashed: &lt;signal 9&gt;" in shown.html()
    shown(Finished(1, 1, 3.0))
    assert "1 done, 1 failed, 3 s" in shown.html()
