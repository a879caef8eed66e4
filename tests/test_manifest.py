from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.errors import ManifestError, UnknownNameError
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.manifest import read_adapter, read_dataset

GOOD = """
name = "toy"
summary = "a toy"
default_variant = "a"
[licence]
code = "MIT"
[options]
depth = 3
[variants.a]
stems = ["vocals"]
"""


def adapter(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "adapter.toml"
    path.write_text(text)
    return path


def test_every_shipped_manifest_is_read() -> None:
    catalog = Catalog()
    assert {"spleeter", "irm", "ibm", "mixture", "silence"} <= set(catalog.adapter_names())
    assert {"demo", "synth", "musdb18", "musdb18-hq", "folder"} <= set(catalog.dataset_names())
    for name in catalog.adapter_names():
        assert catalog.adapter(name).manifest.summary
    for name in catalog.dataset_names():
        assert catalog.dataset(name).manifest.licence.notice


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    manifest = read_adapter(adapter(tmp_path, GOOD))
    assert manifest.runtime.interpreter == "engine"
    assert manifest.variants["a"].trained_on == ()
    assert manifest.options == {"depth": 3}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("summary =", "sumary =", ["sumary", "Did you mean 'summary'"]),
        ('stems = ["vocals"]', 'stem = ["vocals"]', ["stem", "variants"]),
        ('stems = ["vocals"]', 'stems = "vocals"', ["array", "variants"]),
        ('stems = ["vocals"]', 'stems = ["../up"]', ["../up"]),
        ('stems = ["vocals"]', "stems = []", ["stems"]),
        ('default_variant = "a"', 'default_variant = "b"', ["default_variant", "'b'"]),
        ('name = "toy"', 'name = "../toy"', ["../toy"]),
        ('stems = ["vocals"]', 'stems = ["vocals"]\nweights = "w"', ["[weights.w]"]),
        (
            'stems = ["vocals"]',
            'stems = ["vocals"]\noptions = { dept = 1 }',
            ["dept", "Did you mean 'depth'"],
        ),
        ("[options]", "[options", ["cannot be read", "line"]),
    ],
)
def test_a_wrong_manifest_says_what_and_where(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    path = adapter(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ManifestError) as caught:
        read_adapter(path)
    for word in [*words, str(path)]:
        assert word in str(caught.value)


def test_a_generated_data_set_needs_a_version(tmp_path: Path) -> None:
    path = tmp_path / "dataset.toml"
    path.write_text(
        'name = "x"\nsummary = "x"\nlayout = "generated"\nstems = []\n'
        '[licence]\nname = "x"\nnotice = "x"\n'
    )
    with pytest.raises(ManifestError, match="version"):
        read_dataset(path)


def test_unknown_names_come_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'spleeter'"):
        Catalog().model("spleter")
    with pytest.raises(UnknownNameError, match=r"of spleeter\.\n.*4stems"):
        Catalog().model("spleeter:3stems")
    with pytest.raises(UnknownNameError, match="'musdb18'"):
        Catalog().dataset("musdb-18")


def test_search_order_is_given_then_shipped_then_working_directory(tmp_path: Path) -> None:
    for place, name in (("given", "mixture"), ("work/adapters", "mixture"), ("work/adapters", "x")):
        folder = tmp_path / place / name
        folder.mkdir(parents=True)
        text = GOOD.replace('"toy"', f'"{name}"').replace("a toy", f"from {place}")
        (folder / "adapter.toml").write_text(text)
    work = tmp_path / "work"
    both = Catalog((tmp_path / "given",), work)
    assert both.adapter("mixture").manifest.summary == "from given"
    assert Catalog((), work).adapter("mixture").origin == "shipped"  # nothing stands in for it
    assert Catalog((), work).adapter("x").origin == "working directory"
    with pytest.raises(UnknownNameError):  # as for names that a results' folder brings
        Catalog((), None).adapter("x")


def test_folder_and_manifest_must_agree_on_the_name(tmp_path: Path) -> None:
    folder = tmp_path / "copied"
    folder.mkdir()
    (folder / "adapter.toml").write_text(GOOD)
    with pytest.raises(ManifestError, match="rename one of them"):
        Catalog((tmp_path,)).adapter("copied")
