"""The shape of the code base: few entries, small packages, no circles between files."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "benchbench",
    "adapters/spleeter/spleeter_keras",
    "adapters/zipformer/zipformer_keras",
)


def modules(package: Path) -> dict[str, Path]:
    """Dotted names of the modules below a package."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """What a module imports at run time, anywhere in its file."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join([*base, *([node.module] if node.module else [])])
            start = start if node.level else str(node.module)
            for alias in node.names:
                full = f"{start}.{alias.name}"
                yield full if full in known else start
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circle_between_files(package: str) -> None:
    known = modules(ROOT / package)
    graph = {
        name: {other for other in imports(name, path, known) if other in known and other != name}
        for name, path in known.items()
    }
    assert sum(map(len, graph.values())) > 10
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_few_entries_and_small_packages() -> None:
    entries = [entry for entry in (ROOT / "benchbench").iterdir() if entry.name != "__pycache__"]
    entries = [entry for entry in entries if entry.name != "_bundled"]
    assert len(entries) <= 17, sorted(entry.name for entry in entries)
    for package in PACKAGES:
        for folder in {path.parent for path in (ROOT / package).rglob("*.py")}:
            assert len(list(folder.glob("*.py"))) <= 20, folder


def test_layers_are_few() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    assert len(layers) <= 10
