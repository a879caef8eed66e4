"""JSON Schemas of the TOML files that users write, made from the records that read them.

    python docs/schemas/generate.py

An editor with TOML support checks a file that begins with a line such as
``#:schema adapter.schema.json``.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, Final

import msgspec

from benchbench.comparison.gate.schema import GateFile
from benchbench.plugins.manifest_schema import AdapterManifest, DatasetManifest
from benchbench.plugins.metric_schema import MetricManifest
from benchbench.scoring.submission.rules import BoardRules

FOLDER: Final = Path(__file__).resolve().parent
RECORDS: Final = {
    "adapter": AdapterManifest,
    "dataset": DatasetManifest,
    "metric": MetricManifest,
    "gate": GateFile,
    "board": BoardRules,
}


def schema(name: str) -> dict[str, Any]:
    """The schema of ``<name>.toml``."""
    schema = json.loads(json.dumps(msgspec.json.schema(RECORDS[name])))  # tuples become lists
    for record in schema["$defs"].values():  # some versions of msgspec keep the indentation
        record["description"] = inspect.cleandoc(record["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{name}.toml",
        **schema,
    }


def main() -> None:
    """Write every schema."""
    for name in RECORDS:
        path = FOLDER / f"{name}.schema.json"
        path.write_text(json.dumps(schema(name), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
