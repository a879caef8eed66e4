"""Published benchmarks that can be imported by name: layout, licence, citation and oracles."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from benchbench.metrics import protocol as protocol_named
from benchbench.metrics.pairing.stem_names import canonical
from benchbench.metrics.targets import in_order
from benchbench.results.interchange.import_store import content_digest, store_import
from benchbench.results.interchange.imported_rows import score_tables
from benchbench.results.interchange.museval_import import import_museval
from benchbench.results.interchange.provenance import Imported, Roles, Source
from benchbench.results.interchange.table_import import Mapping, mapped_rows
from benchbench.results.interchange.tables import read_table

__all__ = ["SISEC18", "SISEC18_ROLES", "STEMSPLIT", "import_sisec18", "import_stemsplit"]

SISEC18: Final = Source(
    "sisec18",
    citation="F.-R. Stöter, A. Liutkus, N. Ito, The 2018 Signal Separation Evaluation Campaign, "
    "LVA/ICA 2018",
    url="https://github.com/sigsep/sigsep-mus-2018",
)
"""The repository states no licence, so it is ``unknown`` unless the user names one."""

SISEC18_ROLES: Final = Roles(
    frozenset({"IBM1", "IBM2", "IRM1", "IRM2", "MWF"}),
    frozenset({"MIX"}),
)

STEMSPLIT: Final = Source(
    "stemsplit",
    "CC-BY-4.0",
    "StemSplit Stem-Separation Benchmark 2026",
    "https://huggingface.co/datasets/StemSplitio/stem-separation-benchmark-2026",
)
STEMSPLIT_PROTOCOL: Final = "bsseval-v4-medians"
"""Medians over the frames of each track: no other aggregation can be computed from them."""

_STEMSPLIT_MAPPING: Final = Mapping(
    columns={"model": "model_id", "track": "track_id", "target": "stem"},
    constant={"dataset": "musdb18-hq", "protocol": STEMSPLIT_PROTOCOL, "reference_set": ""},
    metrics={name: f"{name.lower()}_median" for name in ("SDR", "ISR", "SIR", "SAR")},
)


def import_sisec18(path: Path | str, results: Path | str, source: Source = SISEC18) -> Imported:
    """Import the repository of SiSEC 2018's submissions: 31 methods on MUSDB18's test split.

    Parameters
    ----------
    path
        A checkout of the repository, or its folder ``submissions``.
    results
        The results folder to import into.
    source
        Replaces the known facts about the source, for instance its licence.

    Raises
    ------
    UsageError, NothingToCompareError
        When the files are not museval files, or there are none.
    """
    root = Path(path)
    inner = root / "submissions"
    root = inner if inner.is_dir() else root
    return import_museval(root, results, source, roles=held(SISEC18_ROLES, root))


def held(roles: Roles, root: Path) -> Roles:
    """The roles without the methods that have no folder."""
    names = (
        {folder.name for folder in root.iterdir() if folder.is_dir()} if root.is_dir() else set()
    )
    names |= {folder.name for folder in root.resolve().parents} | {root.resolve().name}
    return Roles(roles.oracles & names, roles.baselines & names)


def import_stemsplit(path: Path | str, results: Path | str, source: Source = STEMSPLIT) -> Imported:
    """Import the Parquet table of StemSplit's benchmark: the median over the frames of each track.

    Parameters
    ----------
    path
        ``metrics.parquet``, with the columns model_id, track_id, stem, sdr_median, isr_median,
        sir_median and sar_median.
    results
        The results folder to import into.
    source
        Replaces the known facts about the source.

    Raises
    ------
    UsageError
        When the file cannot be read or lacks a column.
    """
    path = Path(path)
    rows = mapped_rows(path, read_table(path), _STEMSPLIT_MAPPING)
    rows["target"] = [canonical(name) for name in rows["target"]]
    rows["metric_version"] = protocol_named("bsseval-v4").version
    rows["reference_set"] = rows["model"].map(_reference_sets(rows))
    return store_import(
        results,
        score_tables(path, rows),
        source,
        kind="stemsplit",
        files=[path],
        digest=content_digest([(path.name, path)], STEMSPLIT_PROTOCOL),
    )


def _reference_sets(rows: pd.DataFrame) -> dict[str, str]:
    """The reference set of each model: all targets that it has stems for."""
    return {
        str(model): "+".join(in_order(part["target"].unique()))
        for model, part in rows.groupby("model")
    }
