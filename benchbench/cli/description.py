"""Explanations of models, data sets, metrics and runs, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchbench.cli.lookup import named
from benchbench.cli.terminal import width, wrapped
from benchbench.io.text_table import aligned
from benchbench.metrics import Protocol
from benchbench.plugins.catalog import Model
from benchbench.plugins.manifest_schema import (
    ENGINE,
    SAME,
    Adaptation,
    AdapterManifest,
    DatasetManifest,
    Weights,
)

__all__ = ["description"]


def description(
    name: str, results: Path = Path("results"), adapter_paths: Sequence[Path] = ()
) -> str:
    """The description of a model, a data set, a protocol or a run.

    Raises
    ------
    UnknownNameError
        When the name is unknown.
    """
    match named(name, results, adapter_paths):
        case Model() as model:
            variant = name.partition("[")[0].partition(":")[2]
            text = _model(model.manifest, variant)
            return "\n".join([text, *_live(results, model.name, variant)])
        case DatasetManifest() as manifest:
            return _dataset(manifest)
        case Protocol() as protocol:
            return _protocol(protocol)
        case run:
            return _run(run)


def _model(manifest: AdapterManifest, only: str) -> str:
    lines = [wrapped([f"{manifest.name}: {manifest.summary}"]), ""]
    lines += _facts(
        ("homepage", manifest.homepage),
        ("citation", manifest.citation),
        ("code", manifest.licence.code),
        ("weights", manifest.licence.weights),
        ("runs in", _runtime(manifest)),
        ("oracle", "yes: it uses the true stems" if manifest.oracle else ""),
        ("options", ", ".join(f"{key}={value}" for key, value in manifest.options.items())),
        ("adapted", _adaptation(manifest.adaptation) if manifest.adaptation else ""),
    )
    for name, variant in manifest.variants.items():
        if only and name != only:
            continue
        default = " (default)" if name == manifest.default_variant else ""
        lines += ["", f"{manifest.name}:{name}{default}: {', '.join(variant.stems)}"]
        weights = manifest.weights.get(variant.weights or "")
        lines += _facts(
            ("  summary", variant.summary),
            ("  trained on", ", ".join(variant.trained_on)),
            ("  weights", _fetched(weights) if weights else ""),
            ("  needs", "weights of your own, with --weights" if variant.needs_weights else ""),
            *(
                (
                    "  published",
                    f"{p.target} {p.metric} {p.value} ({p.dataset}, {p.protocol}, {p.source})",
                )
                for p in variant.published
            ),
        )
    return "\n".join(lines)


def _fetched(weights: Weights) -> str:
    """Where weights come from, and whether a hash verifies them."""
    size = f", {weights.size_mb:g} MB" if weights.size_mb else ""
    unverified = "; no hash is published: not verified" if weights.unverified else ""
    return ("shipped" if weights.bundled else "downloaded on use") + size + unverified


def _adaptation(made: Adaptation) -> str:
    """What `bench adapt` did: ``zipformer:tiny to guitar, 3 examples, 80 steps, +0.62 dB``."""
    gain = "not checked" if made.gain_db is None else f"{made.gain_db:+.2f} dB over {made.compared}"
    count = len(made.examples)
    examples = f"{count} example{'' if count == 1 else 's'}"
    return f"{made.base} to {made.stem} from {examples}, {made.steps} steps, {gain}"


def _live(results: Path, model: str, variant: str) -> list[str]:
    """Measurements of a live model, or of all live variants of an adapter."""
    from benchbench.reporting.sections.live import live_tables
    from benchbench.results.store import Results

    if not (results / "live").is_dir():
        return []
    names = sorted(set(Results(results).live_frame()["model"].astype("str")))
    adapter = model.partition(":")[0]
    chosen = [
        name for name in names if (name == model if variant else name.startswith(f"{adapter}:"))
    ]
    lines = []
    for table in live_tables([results], chosen):
        header = ["block ms", "delay ms", "median ms", "99% ms", "late", "minus offline dB"]
        rows = [
            [
                f"{row.block_ms:.0f}",
                "-" if row.delay_correlation_ms is None else f"{row.delay_correlation_ms:.1f}",
                f"{row.p50_ms:.2f}",
                f"{row.p99_ms:.2f}",
                f"{row.late_share:.1%}",
                "equal" if row.difference_db is None else f"{row.difference_db:.1f}",
            ]
            for row in table.rows
        ]
        lines += ["", f"{table.model} live, in {results}: {table.verdict}", aligned(header, rows)]
    return lines


def _runtime(manifest: AdapterManifest) -> str:
    runtime = manifest.runtime
    if manifest.kind == "folder":
        return f"nothing: its stems are in {manifest.folder}"
    memory = f"about {runtime.memory_mb} MB of memory"
    if runtime.interpreter == ENGINE:
        return f"benchbench's own interpreter, {memory}"
    size = f" (up to {runtime.size_mb:.0f} MB on the disk)" if runtime.size_mb else ""
    packages = ", ".join(runtime.requirements)
    same = runtime.interpreter == SAME
    version = "benchbench's version of Python" if same else f"Python {runtime.interpreter}"
    return f"an environment of its own on {version}, with {packages}{size}, {memory}"


def _audio(manifest: DatasetManifest) -> tuple[tuple[str, str], tuple[str, str]]:
    """What the stems and the mixture of a track are."""
    if manifest.layout == "mixtures":
        return ("stems", "none: scored without references"), ("mixture", "each audio file")
    return (
        ("stems", ", ".join(manifest.stems) or "any files in a track's folder"),
        ("mixture", "as shipped" if manifest.mixture else "the sum of the stems"),
    )


def _dataset(manifest: DatasetManifest) -> str:
    lines = [wrapped([f"{manifest.name}: {manifest.summary}"]), ""]
    lines += _facts(
        ("homepage", manifest.homepage),
        ("citation", manifest.citation),
        ("licence", f"{manifest.licence.name}. {manifest.licence.notice}"),
        *_audio(manifest),
        ("splits", ", ".join(manifest.splits)),
        ("rounded to", "16 bit" if manifest.quantise else ""),
        ("folder", f"--root or ${manifest.root_variable}" if manifest.root_variable else ""),
        ("obtain", manifest.instructions),
    )
    return "\n".join(lines)


def _protocol(protocol: Protocol) -> str:
    lines = [wrapped([f"{protocol.name} (version {protocol.version}): {protocol.summary}"]), ""]
    metrics = [
        [m.name, m.unit, f"{m.low:g} to {m.high:g}", f"{m.direction} is better"]
        for m in protocol.metrics
    ]
    lines += [aligned(["metric", "unit", "range", ""], metrics)]
    lines += _facts(
        ("good for", protocol.good_for),
        ("misleads", protocol.misleads),
        ("aggregation", protocol.aggregation),
        ("options", ", ".join(f"{key}={value}" for key, value in protocol.options.items())),
        ("source", protocol.source),
    )
    return "\n".join(lines)


def _run(run: dict[str, Any]) -> str:
    """The record of a run; those of others and of earlier versions may lack parts."""
    machine, dataset = run.get("machine") or {}, run.get("dataset") or {}
    cores, python = machine.get("cores"), run.get("python")
    known = [machine.get("cpu"), f"{cores} cores" if cores else None, machine.get("platform")]
    version = [run.get("benchbench"), f"Python {python}" if python else None]
    tracks = dataset.get("tracks")
    data_set = [dataset.get("name"), None if tracks is None else f"{tracks} tracks"]
    return "\n".join(
        [
            f"{run['run_id']}: {' '.join(map(str, run.get('command') or ()))}",
            "",
            *_facts(
                ("started", _joined([run.get("started")])),
                ("finished", _joined([run.get("finished") or "not finished"])),
                ("machine", _joined(known)),
                ("benchbench", _joined(version)),
                ("data set", _joined(data_set)),
                ("models", _joined(model.get("name") for model in run.get("models") or ())),
                ("protocols", _joined(each.get("name") for each in run.get("protocols") or ())),
            ),
        ]
    )


def _joined(parts: Iterable[object]) -> str:
    return ", ".join(str(part) for part in parts if part is not None)


def _facts(*pairs: tuple[str, str]) -> Iterable[str]:
    """``name  text`` lines for non-empty texts, wrapped at the terminal with a hanging indent."""
    indent = 14
    return [
        textwrap.fill(
            f"{name:<{indent}}{text}",
            width(),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in pairs
        if text
    ]
