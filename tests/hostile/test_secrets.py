"""What a run writes and what is published of it holds no secret and names no person."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchbench.io.redaction import (
    is_secret_name,
    public_address,
    redacted,
    redacted_command,
    redacted_value,
    without_folders,
)
from tests.hostile.conftest import bench

CANARY = "zqcanary"
TEXTS = {
    "https": (f"https://me:{CANARY}@host/simple", "https://host/simple"),
    "user only": (f"git+https://{CANARY}@host/a.git@v1", "git+https://host/a.git@v1"),
    "s3": (f"s3://AKIAX:{CANARY}@bucket/results", "s3://bucket/results"),
    "a password with a slash": (f"s3://key:a/{CANARY}@bucket/x", "s3://bucket/x"),
    "query": (f"https://host/a?X-Amz-Signature={CANARY}", "https://host/a"),
    "frozen": (f"pkg @ git+https://{CANARY}@host/a", "pkg @ git+https://host/a"),
    "option": (f"--option hf_token={CANARY}", "--option hf_token=***"),
    "flag": (f"--api-key {CANARY} --keep 1", "--api-key *** --keep 1"),
    "flag with =": (f"--password={CANARY}", "--password=***"),
    "variable": (f"AWS_SECRET_ACCESS_KEY={CANARY}", "AWS_SECRET_ACCESS_KEY=***"),
    "json": (f'{{"client_secret": "{CANARY}"}}', '{"client_secret": "***"}'),
    "header": (f"Authorization: Bearer {CANARY}abcdef", None),
    "bearer": (f"sent Bearer {CANARY}abcdef", "sent Bearer ***"),
    "hugging face": (f"hf_{CANARY}ABCDEFGHIJKLMN", "***"),
    "github": (f"ghp_{CANARY}ABCDEFGHIJKLMN", "***"),
    "pypi": (f"pypi-{CANARY}ABCDEFGHIJKLMN", "***"),
    "home": (f"/home/{CANARY}/music/a.wav", "~/music/a.wav"),
    "home of a Mac": (f"in /Users/{CANARY}: x", "in ~: x"),
    "home of Windows": (f"C:\\Users\\{CANARY}\\a.wav", "~\\a.wav"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_loses_its_secret_and_keeps_the_rest(name: str) -> None:
    text, expected = TEXTS[name]
    assert CANARY not in redacted(text)
    if expected is not None:
        assert redacted(text) == expected
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize(
    "text",
    ["KeyError: 'mask'", "tokenizer=5, monkey: 3", "keys of a piano", "s3://bucket/a@b", "a/home/b",
     "https://host:8080/path/x@1", "no secret: here", "the first key", "mailto"],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    if text == "no secret: here":
        assert redacted(text) == "no secret: ***"  # says "secret:", so it is taken at its word
    else:
        assert redacted(text) == text


def test_values_of_secret_variables_are_masked_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_API_KEY", "correct horse")
    monkeypatch.setenv("SHORT_TOKEN", "ab")
    assert redacted("it said correct horse, ab") == "it said ***, ab"


def test_commands_and_tables_are_masked_by_name() -> None:
    assert redacted_command(["a", "--token", "x", "--out", "y"]) == [
        "a",
        "--token",
        "***",
        "--out",
        "y",
    ]
    assert redacted_value({"shifts": 1, "apiKey": "x", "a": [{"secret": 5}]}) == {
        "shifts": 1,
        "apiKey": "***",
        "a": [{"secret": "***"}],
    }
    assert public_address("https://u:p@h:1/a?b#c") == "https://h:1/a"
    assert not is_secret_name("monkey")


def unfolded(content: bytes) -> Iterator[bytes]:
    """A file's bytes, and those of all that is packed inside it."""
    yield content
    if content[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(content))
        yield str(table.to_pylist()).encode() + str(table.schema.metadata).encode()
    for found in re.finditer(rb"base64,([A-Za-z0-9+/=]{40,})", content):
        yield from unfolded(base64.b64decode(found[1]))
    if content[:2] in (b"\x1f\x8b",):
        yield zlib.decompress(content, 31)
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from unfolded(archive.read(name))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was told secrets in every way there is, its results, pages, exports and imports."""
    from tests.conftest import tones, write_track

    place = tmp_path_factory.mktemp("published")
    home = place / "home" / f"{CANARY}user"
    songs, adapters = home / "songs", home / "adapters"
    for seed, name in enumerate(("one", "two")):
        write_track(songs / name, tones(1.0, seed=seed))
    for name, body in {
        "leaky": "raise OSError(f'cannot reach https://me:{self.token}@host/x?sig={self.token}, '"
        " f'token={self.token}')",
        "fine": "print('GET https://me:' + self.token + '@host/'); print(os.environ['LAB_TOKEN'])\n"
        "        return {s: mixture / 2 for s in self.stems}",
    }.items():
        folder = adapters / name
        folder.mkdir(parents=True)
        (folder / "adapter.toml").write_text(
            f'name = "{name}"\nsummary = "x"\ndefault_variant = "a"\n[licence]\ncode = "MIT"\n'
            '[options]\nhf_token = ""\n[variants.a]\nstems = ["vocals", "accompaniment"]\n'
        )
        (folder / "adapter.py").write_text(
            "import os\nclass Adapter:\n"
            "    def load(self, variant, weights, device, options):\n"
            "        self.stems = ['vocals', 'accompaniment']\n"
            "        self.token = options['hf_token']\n"
            f"    def separate(self, mixture, sample_rate):\n        {body}\n"
        )
    variables = {
        "HOME": str(home),
        "LAB_TOKEN": f"{CANARY}-variable",
        "BENCHBENCH_CACHE": str(place),
    }
    done = bench(
        "run", "--models", "leaky,fine", "--adapter-path", adapters, "--dataset", "folder",
        "--root", songs, "--out", home / "results", "--metrics", "usdr", "--keep-stems", "yes",
        "--option", f"hf_token={CANARY}-option", environment=variables,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    said = done.stdout + done.stderr
    (place / "said.txt").write_text(said.replace(str(home), ""))  # paths are for whoever runs it
    results = home / "results"
    for words in (
        ("report", results, "--out", f"{place / 'site'}/"),
        ("export", "csv", "--out", place / "out.csv", "--results", results, "--protocol", "usdr"),
        ("export", "huggingface", "--out", place / "hf", "--results", results),
        ("import", "benchbench", results, "--source", "lab", "--results", place / "imported"),
        ("gate", "--baseline", place / "base.parquet", "--results", results, "--accept"),
        ("compare", results, results, "--format", "html", "--out", place / "compare.html"),
        ("export", "tensorboard", "--out", place / "tensorboard", "--results", results),
        ("submit", results, "--out", place / "bundle", "--note", f"https://me:{CANARY}@host/x",
         "--submitter", f"token={CANARY}"),
        ("submit", results, "--out", place / "bundle.zip", "--models", "fine:a"),
    ):  # fmt: skip
        done = bench(*words, environment=variables)
        assert done.returncode == 0, (words, done.stderr)
    checked = bench("check", place / "bundle", "--json", place / "answers" / "check.json")
    assert checked.returncode == 1, checked.stderr  # one of the models has failed on all tracks
    for words in (
        ("list", "runs", "--out", results), ("compare", results, results),
        ("doctor", results),
    ):  # fmt: skip
        done = bench(*words, "--format", "json", environment=variables)
        assert done.stdout.startswith(("[", "{")), (words, done.stderr)
        (place / "answers" / f"{words[0]}.json").write_text(done.stdout.replace(str(home), ""))
    return place


@pytest.mark.parametrize(
    "part",
    [
        "home/*/results",
        "site",
        "out.csv",
        "hf",
        "imported",
        "base.parquet",
        "compare.html",
        "said.txt",
        "tensorboard",
        "bundle",
        "bundle.zip",
        "answers",
    ],
)
def test_no_canary_in_what_is_published(part: str, published: Path) -> None:
    paths = [
        path
        for top in published.glob(part)
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file()
    ]
    assert paths, part
    for path in paths:
        for content in unfolded(path.read_bytes()):
            where = content.find(CANARY.encode())
            assert where < 0, (path, content[max(0, where - 200) : where + 60])


def test_the_record_still_says_what_was_run(published: Path) -> None:
    run = json.loads(next(published.glob("home/*/results/runs/*/run.json")).read_text())
    command = " ".join(run["command"])
    assert "--models leaky,fine" in command
    assert "hf_token=***" in command
    assert "~/songs" in command


def test_no_file_of_a_tracker_is_named_after_the_machine(published: Path) -> None:
    names = {path.name for path in published.glob("tensorboard/*/events*")}
    assert names == {"events.out.tfevents.0.benchbench"}


def test_a_log_is_masked_too(published: Path) -> None:
    log = next(published.glob("home/*/results/runs/*/fine-a.log")).read_text()
    assert "GET https://host/" in log
    assert "***" in log


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/data/ada/results", ".../results"),
        ("--root=/mnt/ada/songs", "--root=.../songs"),
        ("in '/srv/ada/a.wav': no", "in '.../a.wav': no"),
        ("~/music/a.wav", ".../a.wav"),
        ("C:\\ada\\a.wav", ".../a.wav"),
        ("https://host/a/b, s3://bucket/x/y", "https://host/a/b, s3://bucket/x/y"),
        ("songs/a.wav, 3 / 4, 3/4 dB, and/or", "songs/a.wav, 3 / 4, 3/4 dB, and/or"),
    ],
)
def test_what_is_handed_to_others_names_no_folder(text: str, expected: str) -> None:
    assert without_folders(text) == expected
    assert without_folders({"a": [text]}) == {"a": [expected]}
    assert without_folders(expected) == expected
