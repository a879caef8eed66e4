"""Weights that lie as single files in a folder, that ship with their adapter, or have no hash."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchbench.api.install import uninstall
from benchbench.cli.description import description
from benchbench.errors import ManifestError, WeightsError
from benchbench.plugins.catalog import Catalog, Model
from benchbench.separation.weights import ensure_weights

Make = Callable[..., Path]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server over ``tmp_path/served``; the cache lies elsewhere."""
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "served" / "a folder").mkdir(parents=True)
    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


def model(make_adapter: Make, weights: str) -> Model:
    place = make_adapter("toy")
    manifest = place / "toy" / "adapter.toml"
    manifest.write_text(manifest.read_text() + 'weights = "w"\n' + weights)
    return Catalog((place,)).model("toy")


def test_single_files_come_from_a_folder_or_their_own_address(
    server: str, tmp_path: Path, make_adapter: Make
) -> None:
    (tmp_path / "served" / "a folder" / "one two.bin").write_bytes(b"first")
    (tmp_path / "served" / "other.bin").write_bytes(b"second")
    starts = hashlib.sha256(b"first").hexdigest()[:8]
    toy = model(
        make_adapter,
        f"""
        [weights.w]
        unverified = true
        files = [
          {{ name = "one two.bin", sha256_starts = "{starts}" }},
          {{ name = "second.bin", url = "{server}/other.bin" }},
        ]
        [[weights.w.sources]]
        url = "{server}/a%20folder/"
        """,
    )
    said: list[str] = []
    folder = ensure_weights(toy, tell=said.append)
    assert folder is not None
    assert (folder / "one two.bin").read_bytes() == b"first"
    assert (folder / "second.bin").read_bytes() == b"second"
    assert any("No hash is published" in text for text in said)
    place = toy.adapter.folder.parent
    assert "not verified" in description("toy", adapter_paths=[place])
    assert uninstall("toy", adapter_paths=[place]) == len(b"first" + b"second")
    assert not folder.exists()


def test_a_file_that_does_not_begin_with_the_known_digits_is_kept_out(
    server: str, tmp_path: Path, make_adapter: Make
) -> None:
    (tmp_path / "served" / "one.bin").write_bytes(b"something else")
    toy = model(
        make_adapter,
        f"""
        [weights.w]
        files = [{{ name = "one.bin", sha256_starts = "00000000" }}]
        [[weights.w.sources]]
        url = "{server}/"
        """,
    )
    with pytest.raises(
        WeightsError, match=r"(?s)00000000 is declared.*one\.bin, sha256 00000000\.\.\."
    ):
        ensure_weights(toy)


def test_weights_without_a_hash_must_say_so(make_adapter: Make) -> None:
    with pytest.raises(ManifestError, match="unverified = true"):
        model(
            make_adapter,
            """
            [weights.w]
            files = [{ name = "one.bin" }]
            [[weights.w.sources]]
            url = "https://example.org/one.bin"
            """,
        )


def test_weights_may_ship_with_their_adapter(make_adapter: Make) -> None:
    digest = hashlib.sha256(b"small").hexdigest()
    toy = model(
        make_adapter,
        f"""
        [weights.w]
        bundled = "weights"
        files = [{{ name = "one.bin", sha256 = "{digest}" }}]
        """,
    )
    folder = toy.adapter.folder / "weights"
    folder.mkdir()
    (folder / "one.bin").write_bytes(b"small")
    assert ensure_weights(toy) == folder
    assert uninstall("toy", adapter_paths=[toy.adapter.folder.parent]) == 0
    assert folder.exists()
    (folder / "one.bin").write_bytes(b"other")
    with pytest.raises(WeightsError, match="damaged"):
        ensure_weights(toy)


def test_a_folder_may_write_an_underscore_for_a_hyphen(make_adapter: Make) -> None:
    place = make_adapter("two_words")
    manifest = place / "two_words" / "adapter.toml"
    manifest.write_text(manifest.read_text().replace('"two_words"', '"two-words"'))
    catalog = Catalog((place,))
    assert catalog.model("two-words").name == "two-words:plain"
    assert "two-words" in catalog.adapter_names()
    manifest.write_text(manifest.read_text().replace('"two-words"', '"others"'))
    with pytest.raises(ManifestError, match="one name"):
        Catalog((place,)).model("two_words")
