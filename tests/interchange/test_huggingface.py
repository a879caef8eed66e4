"""Evaluation results for the Hugging Face Hub, read by its own library and sent to a local server."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

import benchbench
from benchbench.errors import UsageError
from benchbench.results.store import Results
from tests.hostile.conftest import RUN, SEPARATION, score_table

VALUES = {"a:one": (3.0, 5.0), "b:two": (1.0, 2.0)}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two models on two tracks."""
    store = Results(tmp_path / "results")
    for model, values in VALUES.items():
        for place, value in enumerate(values):
            ids = {"model": model, "track": f"t{place}", "separation_id": f"s{model[0]}{place}"}
            name = f"c{model[0]}{place}"
            store.write_scores(name, model, "d", score_table(cell_id=name, value=value, **ids))
            store.write_separation(SEPARATION | ids)
    models = [{"name": name, "stems": ["vocals"], "trained_on": ["other"]} for name in VALUES]
    store.write_run("r0", RUN | {"models": models})
    return store.root


def test_the_numbers_are_entries_that_the_hub_reads(results: Path, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    benchbench.export("huggingface", tmp_path / "out", results, benchmark="lab/songs")
    content = yaml.safe_load(
        (tmp_path / "out" / "a_one" / ".eval_results" / "benchbench.yaml").read_text()
    )
    (entry,) = content
    assert entry["dataset"] == {"id": "lab/songs", "task_id": "usdr_sdr_vocals"}
    assert entry["value"] == 4.0
    assert entry["date"] == "2026-01-01"
    assert "2 of 2 tracks" in entry["notes"]
    assert "trained on other" in entry["notes"]
    (parsed,) = hub.parse_eval_result_entries(content)
    assert (parsed.dataset_id, parsed.task_id, parsed.value) == (
        "lab/songs",
        "usdr_sdr_vocals",
        4.0,
    )
    benchmark = yaml.safe_load((tmp_path / "out" / "eval.yaml").read_text())
    assert [task["id"] for task in benchmark["tasks"]] == ["usdr_sdr_vocals"]
    assert (tmp_path / "out" / "a_one" / "results.json").is_file()


def test_without_a_benchmark_there_are_only_the_files_of_before(
    results: Path, tmp_path: Path
) -> None:
    written = benchbench.export("huggingface", tmp_path / "out", results)
    assert {path.name for path in written} == {"results.json"}
    with pytest.raises(UsageError, match="owner/name"):
        benchbench.export("huggingface", tmp_path / "out", results, benchmark="songs")
    with pytest.raises(UsageError, match="Nothing to push"):
        benchbench.export("huggingface", tmp_path / "out", results, push={"a:one": "lab/a"})


class Hub(BaseHTTPRequestHandler):
    """The two calls of a commit, as the Hub answers them."""

    calls: ClassVar[list[tuple[str, bytes, str]]] = []
    refuses = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        type(self).calls.append((self.path, body, self.headers.get("Authorization", "")))
        if self.refuses:
            self._answer(403, {"error": "no"})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            self._answer(200, {"files": [{"path": one["path"], "uploadMode": "regular",
                                          "shouldIgnore": False} for one in files]})  # fmt: skip
        elif "/commit/" in self.path:
            place = f"http://{self.headers['Host']}/lab/a"
            self._answer(
                200,
                {
                    "success": True,
                    "commitOid": "abc",
                    "commitUrl": f"{place}/commit/abc",
                    "pullRequestUrl": f"{place}/discussions/1",
                },
            )
        else:
            self._answer(200, {})

    def do_GET(self) -> None:
        self._answer(200, {"id": "lab/a", "sha": "0" * 40, "siblings": []})

    def _answer(self, code: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """A server in place of the Hub."""
    pytest.importorskip("huggingface_hub")
    Hub.calls, Hub.refuses = [], False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    for name in [name for name in sys.modules if name.startswith("huggingface_hub")]:
        monkeypatch.delitem(sys.modules, name)  # the library reads the variables when imported
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    monkeypatch.setenv("HF_TOKEN", "hf_zqcanaryzqcanaryzqcanary")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    yield Hub
    server.shutdown()
    server.server_close()


def test_pushing_opens_a_pull_request_with_the_file(
    results: Path, tmp_path: Path, hub: type[Hub]
) -> None:
    benchbench.export(
        "huggingface", tmp_path / "out", results, benchmark="lab/songs", push={"a:one": "lab/a"}
    )
    ((path, body, token),) = [call for call in hub.calls if "/commit/" in call[0]]
    assert path.startswith("/api/models/lab/a/commit/main")
    assert "create_pr=1" in path
    assert token == "Bearer hf_zqcanaryzqcanaryzqcanary"
    lines = [json.loads(line) for line in body.splitlines()]
    (file,) = [line["value"] for line in lines if line["key"] == "file"]
    assert file["path"] == ".eval_results/benchbench.yaml"
    sent = base64.b64decode(file["content"])
    assert sent == (tmp_path / "out" / "a_one" / ".eval_results" / "benchbench.yaml").read_bytes()


def test_nothing_is_sent_unless_asked(results: Path, tmp_path: Path, hub: type[Hub]) -> None:
    benchbench.export("huggingface", tmp_path / "out", results, benchmark="lab/songs")
    assert hub.calls == []


def test_a_server_that_refuses_is_one_error_without_the_token(
    results: Path, tmp_path: Path, hub: type[Hub]
) -> None:
    hub.refuses = True
    with pytest.raises(UsageError) as caught:
        benchbench.export(
            "huggingface", tmp_path / "out", results, benchmark="lab/songs", push={"a:one": "lab/a"}
        )
    assert "lab/a did not take" in str(caught.value)
    assert "zqcanary" not in str(caught.value)
    with pytest.raises(UsageError, match="was not exported"):
        benchbench.export(
            "huggingface", tmp_path / "out", results, benchmark="lab/songs", push={"no": "lab/a"}
        )
