"""Lists of models, data sets, metrics and runs: rows for programs, columns for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchbench.cli.lookup import protocol_facts, protocol_of, stored_runs
from benchbench.cli.terminal import cut, width
from benchbench.errors import BenchbenchError, UnknownNameError, UsageError
from benchbench.io.text_table import aligned
from benchbench.metrics import GROUPS, PROTOCOLS
from benchbench.metrics.names import REFERENCE_FREE
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest_schema import AdapterManifest
from benchbench.plugins.metric_catalog import MetricCatalog
from benchbench.results.kinds import BASELINES
from benchbench.separation.readiness import readiness
from benchbench.stats.wording import count

__all__ = ["listing", "rows_of"]

KINDS: Final = ("models", "datasets", "metrics", "runs")

_COLUMNS: Final = {
    "models": ("model", "kind", "stems", "download", "ready", "summary"),
    "datasets": ("dataset", "licence", "summary"),
    "metrics": ("protocol", "metrics", "summary"),
    "runs": ("run", "dataset", "done", "failed", "models"),
}
"""The columns of the tables; JSON has more."""

_LICENCE: Final = 24
"""Characters of a licence in a table."""

_CUT: Final = 16
"""Characters of a summary that a line must have room for; with less, the column is left out."""

Rows = list[dict[str, Any]]


def listing(
    what: str,
    results: Path = Path("results"),
    adapter_paths: Sequence[Path] = (),
    *,
    form: str = "table",
    stems: Sequence[str] = (),
    columns: int | None = None,
) -> str:
    """List all ``models``, ``datasets``, ``metrics`` or ``runs``.

    Parameters
    ----------
    what
        The kind.
    results
        The results folder, for runs.
    adapter_paths
        Folders that are searched for adapters first.
    form
        ``table`` or ``json``.
    stems
        Only models that produce all of these stems.
    columns
        Characters per line; by default the width of the terminal.

    Raises
    ------
    UnknownNameError
        When the kind does not exist.
    """
    rows = rows_of(what, results, adapter_paths, stems=stems)
    if form == "json":
        return json.dumps(rows, indent=1, ensure_ascii=False)
    broken = [row for row in rows if row.get("error")]
    fine = [row for row in rows if not row.get("error")]
    if not rows:
        none = {"runs": f"No runs in {results}."}
        return none.get(what, "None.")
    room = columns or width()
    cells = [{name: _cell(row, name) for name in _COLUMNS[what]} for row in fine]
    names = _fitting(_COLUMNS[what], cells, room)
    table = aligned(names, [[row[name] for name in names] for row in cells])
    parts = ["\n".join(cut(line, room) for line in table.rstrip("\n").splitlines())]
    parts += [f"not listed: {row['model']}: {row['error']}" for row in broken]
    if what == "metrics":
        parts.append("\nGroups:")
        parts += [f"{name} = {', '.join(members)}" for name, members in GROUPS.items()]
    return "\n".join(parts)


def rows_of(
    what: str,
    results: Path = Path("results"),
    adapter_paths: Sequence[Path] = (),
    *,
    stems: Sequence[str] = (),
) -> Rows:
    """The rows of a list as plain values; a model whose manifest is broken has an ``error``."""
    if what not in KINDS:
        raise UnknownNameError("kind", what, KINDS)
    if stems and what != "models":
        raise UsageError("--stems is for `bench list models`.")
    catalog = Catalog(tuple(adapter_paths))
    if what == "models":
        rows = list(_models(catalog))
        return [row for row in rows if row.get("error") or set(stems) <= set(row["stems"])]
    if what == "datasets":
        return list(_datasets(catalog))
    if what == "metrics":
        return list(_metrics())
    return [
        {
            "run": run["run_id"],
            "started": run.get("started"),
            "dataset": (run.get("dataset") or {}).get("name", ""),
            "models": [model["name"] for model in run.get("models", [])],
            "done": (run.get("counts") or {}).get("ok", 0),
            "failed": (run.get("counts") or {}).get("failed", 0),
        }
        for run in stored_runs(results)
    ]


def _models(catalog: Catalog) -> Iterator[dict[str, Any]]:
    for name in catalog.adapter_names():
        try:
            adapter = catalog.adapter(name)
        except BenchbenchError as error:
            yield {"model": name, "error": str(error).replace("\n", " ")}
            continue
        manifest = adapter.manifest
        for variant_name, variant in manifest.variants.items():
            model = Model(adapter, variant_name)
            needs = readiness(model)
            yield {
                "model": model.name,
                "kind": _kind(manifest),
                "stems": list(variant.stems),
                "download": needs.declared_mb,
                "ready": needs.ready,
                "needs_weights": needs.own_weights,
                "default": variant_name == manifest.default_variant,
                "live": variant.live,
                "licence": {"code": manifest.licence.code, "weights": manifest.licence.weights},
                "trained_on": list(variant.trained_on),
                "origin": adapter.origin,
                "summary": variant.summary or manifest.summary,
            }


def _kind(manifest: AdapterManifest) -> str:
    if manifest.oracle:
        return "oracle"
    if manifest.name in BASELINES:
        return "baseline"
    return "separator" if manifest.kind in ("python", "command") else manifest.kind


def _datasets(catalog: Catalog) -> Iterator[dict[str, Any]]:
    for name in catalog.dataset_names():
        try:
            manifest = catalog.dataset(name).manifest
        except BenchbenchError as error:
            yield {"model": name, "error": str(error).replace("\n", " ")}
            continue
        yield {
            "dataset": manifest.name,
            "stems": list(manifest.stems),
            "splits": list(manifest.splits),
            "licence": manifest.licence.name,
            "summary": manifest.summary,
        }


def _metrics() -> Iterator[dict[str, Any]]:
    for name in [*PROTOCOLS, REFERENCE_FREE.name, *MetricCatalog().names()]:
        try:
            yield protocol_facts(protocol_of(name))
        except BenchbenchError as error:
            yield {"model": name, "error": str(error).replace("\n", " ")}


def _fitting(names: Sequence[str], rows: Sequence[Mapping[str, str]], room: int) -> Sequence[str]:
    """The columns that fit a line: first the last column is cut, then it and the kind are left out."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) + 2 for name in names}
    short = widths | {names[-1]: _CUT}
    for left_out, needed in (
        ((), widths),
        ((), short),
        (names[-1:], widths),
        ((names[-1], "kind"), widths),
    ):
        chosen = [name for name in names if name not in left_out]
        if sum(needed[name] for name in chosen) - 2 <= room:
            break
    return chosen


def _cell(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if name == "licence":
        return cut(value, _LICENCE)
    if name == "ready" and row["needs_weights"]:
        return "train"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) < 5 else count(len(value), name[:-1])
    if isinstance(value, float):
        return f"{value:.0f} MB" if value < 1000 else f"{value / 1000:.1f} GB"
    return "" if value is None else str(value)
