"""The tutorial notebook runs from its first to its last cell in a real kernel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from tests.conftest import tones, write_track

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "notebooks" / "tutorial.ipynb"


class ThisPython(AsyncKernelManager):
    """A kernel in the interpreter of the test, whatever kernels are installed."""

    @property
    def kernel_spec(self):
        """What starts it."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="this", language="python")


@pytest.mark.filterwarnings(  # the kernel's sockets are closed by the garbage collector
    "ignore:.*event loop.*",
    "ignore:Unclosed socket:ResourceWarning",
    "ignore:.*Socket.__del__.*:pytest.PytestUnraisableExceptionWarning",
)
def test_every_cell_runs_and_shows_what_it_should(tmp_path, monkeypatch):
    notebook = nbformat.read(TUTORIAL, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)  # stored without outputs
    shorter = {'"demo"': f'"folder", root={str(tmp_path / "songs")!r}', "start_s=10": "start_s=0"}
    write_track(tmp_path / "songs" / "first", tones(2.0, seed=1))
    for cell in notebook.cells:
        for old, new in shorter.items() if cell.cell_type == "code" else ():
            cell.source = cell.source.replace(old, new)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    client = NotebookClient(  # it ends a kernel that it starts itself
        notebook,
        timeout=280,
        kernel_manager_class=ThisPython,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    shown = [
        {kind: data for output in cell.outputs for kind, data in output.get("data", {}).items()}
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    run, board, _, figure, bands, player, number, scores, validation = shown[1:]
    assert "irm:2stems[alpha=1]" in run["text/html"]
    assert "<progress" in str(notebook.cells[3].outputs)  # the bar
    assert "mean" in board["text/html"]
    assert figure["image/png"]
    assert bands["image/png"]
    assert "<iframe" in player["text/html"]
    assert 19 < float(number["text/plain"]) < 21
    assert "SI-SDR" in scores["text/html"]
    assert "usdr/SDR/vocals" in validation["text/plain"]
