"""Names of models with settings: reading, writing, sweeps, and what the results hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchbench
from benchbench.cli.values import parse_options, words
from benchbench.errors import UnknownNameError, UsageError
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.model_names import expanded, listed


def names(*asked):
    return [model.name for model in Catalog().models(listed(asked))]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("irm", ["irm:2stems"]),
        ("irm:2stems[alpha=1]", ["irm:2stems[alpha=1]"]),
        ("irm[alpha=1.0]", ["irm:2stems[alpha=1]"]),
        ("irm[alpha=2]", ["irm:2stems"]),
        ("irm:2stems-alpha1[alpha=2]", ["irm:2stems-alpha1[alpha=2]"]),
        ("irm[alpha=1,2,0.5],ibm", ["irm:2stems[alpha=1]", "irm:2stems", "irm:2stems[alpha=0.5]", "ibm:2stems"]),
        ("irm[],irm", ["irm:2stems"]),
    ],
)  # fmt: skip
def test_a_setting_is_part_of_the_name_where_it_differs(asked, expected):
    assert names(asked) == expected


def test_every_name_reads_back_as_itself():
    for name in names("irm[alpha=1,0.5]", "spleeter:4stems"):
        assert Catalog().model(name).name == name


def test_several_options_make_every_combination():
    every = expanded("demucs[shifts=1,2,overlap=0.1,0.5]")
    assert [tuple(one.settings.values()) for one in every] == [
        (1, 0.1), (1, 0.5), (2, 0.1), (2, 0.5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "words_of_the_error"),
    [
        ("irm[alpha=1", "not the name of a model"),
        ("irm[1]", "not option=value"),
        ("irm[alpha=]", "not option=value"),
        ("irm[alpha=1,alpha=2]", "twice"),
        ("irm[alpah=1]", "alpha"),
        ("irm[alpha=loud]", "alpha=loud"),
        ("irm[alpha=true]", "alpha=True"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(asked, words_of_the_error):
    with pytest.raises(UsageError, match=words_of_the_error):
        Catalog().models([asked])
    with pytest.raises(UsageError, match="stands for 2 models"):
        Catalog().model("irm[alpha=1,2]")


def test_commas_inside_brackets_do_not_separate_on_the_command_line():
    assert words("irm[alpha=1,2], ibm") == ["irm[alpha=1,2]", "ibm"]


def test_an_option_given_twice_is_refused_and_the_sweep_is_shown():
    with pytest.raises(UsageError, match="given twice") as raised:
        parse_options(["alpha=1", "alpha=2"])
    assert "MODEL[alpha=1,2]" in str(raised.value.hint)


@given(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False))
def test_any_number_survives_its_name(value):
    model = Catalog().model("irm").with_settings({"alpha": value})
    assert Catalog().model(model.name).options["alpha"] == value


def test_two_settings_are_two_rows_and_the_option_flag_names_them(small_songs, tmp_path):
    shared = {"root": small_songs, "out": tmp_path / "out", "metrics": "usdr", "report": False}
    swept = benchbench.run("irm[alpha=1,2]", "folder", limit=1, **shared)
    flagged = benchbench.run("irm", "folder", limit=1, options={"alpha": 1}, **shared)
    assert swept.models == ("irm:2stems[alpha=1]", "irm:2stems")
    assert flagged.models == ("irm:2stems[alpha=1]",)
    assert flagged.tally.ok == 0
    values = (
        swept.scores_frame().query("target == 'vocals'").groupby("model", observed=True)["value"]
    )
    one, two = values.first()["irm:2stems[alpha=1]"], values.first()["irm:2stems"]
    assert one != two
    with pytest.raises(UnknownNameError, match="alpha"):
        benchbench.run("irm", "folder", limit=1, options={"alpah": 1}, **shared)
