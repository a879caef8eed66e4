"""Where the numbers come from: versions, hashes, machine."""

from __future__ import annotations

from typing import Any

from benchbench.reporting.wording import megabytes

__all__ = ["facts"]


def facts(run: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What must agree for the numbers to come out again, as label and value."""
    machine, dataset, git = (run.get(key) or {} for key in ("machine", "dataset", "git"))
    versions = ", ".join(
        f"{name} {version}" for name, version in sorted((run.get("packages") or {}).items())
    )
    sha = str(git.get("sha") or "")
    told = (
        ("Run", run.get("run_id")),
        ("Started", run.get("started")),
        ("benchbench", run.get("benchbench")),
        ("Source", f"{sha[:12]}{' with uncommitted changes' if git.get('dirty') else ''}"),
        ("Python", run.get("python")),
        ("Packages", versions),
        ("Data set", dataset.get("name")),
        ("Data set version", dataset.get("version_hash")),
        ("Data set licence", dataset.get("licence")),
        ("Notice", dataset.get("notice")),
        ("Processor", machine.get("cpu")),
        ("Cores", machine.get("cores")),
        ("Memory", megabytes(machine["memory_bytes"]) if machine.get("memory_bytes") else None),
        ("Graphics", machine.get("gpu")),
        ("Linear algebra", machine.get("blas")),
        ("System", machine.get("platform")),
        ("Jobs at a time", run.get("jobs")),
        (
            "Protocols",
            ", ".join(f"{one['name']} v{one['version']}" for one in run.get("protocols") or ()),
        ),
    )
    return tuple((label, str(value)) for label, value in told if value)
