"""The stored facts about a run and about each separation, beside the scores."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from benchbench.datasets.dataset import Dataset
from benchbench.datasets.preparation import PreparedTrack
from benchbench.datasets.tracks import Track
from benchbench.errors import DISTRIBUTION
from benchbench.io.redaction import redacted, redacted_command, redacted_value
from benchbench.metrics.base import Protocol
from benchbench.metrics.described.descriptions import protocol_facts
from benchbench.plugins.catalog import Model
from benchbench.results.schema import SCHEMA_VERSION
from benchbench.running.git_state import git_state
from benchbench.running.machine import engine_packages, machine
from benchbench.running.plan import Job
from benchbench.separation.separator import ModelSetup, SeparationResult
from benchbench.separation.workers.worker_answers import message

__all__ = ["SeparationRecord", "new_run_id", "now", "run_facts"]


def now() -> str:
    """The time in UTC, as ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_run_id() -> str:
    """A name for a run that sorts by time and is unique across machines."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def run_facts(
    run_id: str,
    data_set: Dataset,
    setups: Mapping[str, ModelSetup],
    protocols: Sequence[Protocol],
    *,
    command: Sequence[str],
    jobs: int,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of ``run.json`` at the start of a run.

    It holds what is needed to reproduce the run, but no personal data and no credentials: see
    `benchbench.io.redaction`.
    """
    manifest = data_set.manifest
    return {
        "schema": SCHEMA_VERSION,
        "run_id": run_id,
        "started": now(),
        "finished": None,
        "command": redacted_command(command),
        "benchbench": version(DISTRIBUTION),
        "python": sys.version.split()[0],
        "git": git_state(Path.cwd()),
        "machine": machine(),
        "packages": engine_packages(),
        "dataset": {
            "name": manifest.name,
            "version_hash": data_set.version_hash,
            "licence": manifest.licence.name,
            "notice": manifest.licence.notice,
            "audio_excerpts": manifest.licence.audio_excerpts,
            "tracks": len(data_set.tracks),
        },
        "models": [_model_facts(setup) for setup in setups.values()],
        "protocols": [
            protocol_facts(protocol)
            if protocol.content_hash
            else {"name": protocol.name, "version": protocol.version}
            for protocol in protocols
        ],
        "options": redacted_value(options),
        "jobs": jobs,
        "counts": {"ok": 0, "failed": 0},
    }


def _model_facts(setup: ModelSetup) -> dict[str, Any]:
    model = setup.model
    manifest, variant = model.manifest, model.variant
    return {
        "name": model.name,
        "adapter": manifest.name,
        "variant": model.variant_name,
        "origin": model.adapter.origin,
        "summary": variant.summary or manifest.summary,
        "stems": list(variant.stems),
        "oracle": manifest.oracle,
        "live": variant.live,
        "generative": manifest.generative or variant.generative,
        "trained_on": list(variant.trained_on),
        "licence": msgspec.to_builtins(manifest.licence),
        "homepage": manifest.homepage,
        "citation": manifest.citation,
        "published": msgspec.to_builtins(variant.published),
        "deterministic": manifest.deterministic,
        "options": redacted_value(setup.all_options),
        "environment": redacted_value(setup.environment),
    }


@dataclass(frozen=True, slots=True)
class SeparationRecord:
    """Converts the outcome of a separation to a row of `benchbench.results.schema.SEPARATIONS`."""

    job: Job
    model: Model
    run_id: str
    dataset_hash: str
    jobs: int

    def row(self, outcome: SeparationResult, prepared: PreparedTrack | None) -> dict[str, Any]:
        """The row; `prepared` is None if the track could not be read."""
        identity, track = self.job.identity, self.job.track
        return {
            "separation_id": self.job.separation_id,
            "run_id": self.run_id,
            "model": identity.model,
            "adapter_hash": identity.adapter_hash,
            "weights_hash": identity.weights_hash,
            "options_hash": identity.options_hash,
            "dataset": track.dataset,
            "dataset_hash": self.dataset_hash,
            "track": track.name,
            "track_hash": track.fingerprint,
            "track_flags": " ".join(prepared.flags) if prepared else "",
            "oracle": self.model.manifest.oracle,
            "trained_on": " ".join(_seen(self.model.variant.trained_on, track)),
            "stems": "+".join(self.model.variant.stems),
            "status": outcome.status,
            "error": message(outcome.error) if outcome.error else None,
            "log_tail": redacted(outcome.log_tail) if outcome.log_tail else None,
            "load_s": outcome.load_s,
            "wall_s": outcome.wall_s,
            "audio_s": prepared.seconds if prepared else None,
            "peak_rss_bytes": outcome.peak_rss,
            "peak_held_bytes": outcome.peak_held,
            "parameters": outcome.parameters,
            "first_in_worker": outcome.first_in_worker,
            "jobs": self.jobs,
        }


def _seen(trained_on: Sequence[str], track: Track) -> list[str]:
    """The data sets that the weights were trained on; ``name:split`` counts for tracks of that split."""
    own = f"{track.dataset}:{track.split}"
    return [track.dataset if entry == own else entry for entry in trained_on]
