"""The columns of the result tables: meaning, Arrow type, and the permitted words.

Nothing is computed here. All code that writes or reads a table takes its schema from this module,
so that a column means the same everywhere.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

__all__ = ["PARTITIONED_BY", "REASONS", "SCHEMA_VERSION", "SCORES", "SEPARATIONS", "STATUSES"]

SCHEMA_VERSION: Final = 1

SCORES: Final = pa.schema(
    [
        pa.field("cell_id", pa.string(), nullable=False),
        pa.field("separation_id", pa.string()),  # null for stems that benchbench did not separate
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),  # adapter:variant
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("track", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("reference_set", pa.string(), nullable=False),  # "vocals+accompaniment"
        pa.field("protocol", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("metric_version", pa.int32(), nullable=False),
        pa.field("band_lo_hz", pa.float64()),  # null: broadband
        pa.field("band_hi_hz", pa.float64()),
        pa.field("start_s", pa.float64()),  # null: the whole track
        pa.field("duration_s", pa.float64()),
        pa.field("value", pa.float64()),  # null: see `reason`
        pa.field("reason", pa.string()),  # why a value is missing or unreliable
        pa.field("metric_hash", pa.string()),  # of a metric plug-in; else null
    ],
    metadata={"benchbench_schema": str(SCHEMA_VERSION)},
)
"""One row per number. ``value`` is never NaN or infinite: it is null, with a ``reason``.

A value may also have a reason; then the number follows the protocol's rule but is unreliable
(``ill_conditioned``, ``capped``, ``estimate_padded``, ``estimate_trimmed``).
"""

PARTITIONED_BY: Final = ("model", "dataset")
"""Columns of `SCORES` that also name the folders of a part, as ``column=value``.

pandas and ``pyarrow.parquet`` read such a folder name as a dictionary column and refuse a file whose
own column of that name is plain text, so parts store these columns as dictionaries.
"""

SEPARATIONS: Final = pa.schema(
    [
        pa.field("separation_id", pa.string(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("adapter_hash", pa.string(), nullable=False),
        pa.field("weights_hash", pa.string(), nullable=False),
        pa.field("options_hash", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("dataset_hash", pa.string(), nullable=False),
        pa.field("track", pa.string(), nullable=False),
        pa.field("track_hash", pa.string(), nullable=False),
        pa.field("track_flags", pa.string(), nullable=False),  # space-separated
        pa.field("oracle", pa.bool_(), nullable=False),  # the model uses the references
        pa.field("trained_on", pa.string(), nullable=False),  # space-separated data sets
        pa.field("stems", pa.string(), nullable=False),  # joined by "+", in the model's order
        pa.field("status", pa.string(), nullable=False),
        pa.field("error", pa.string()),
        pa.field("log_tail", pa.string()),
        pa.field("load_s", pa.float64()),
        pa.field("wall_s", pa.float64()),
        pa.field("audio_s", pa.float64()),
        pa.field("peak_rss_bytes", pa.int64()),  # resident, including pages of mapped files
        pa.field("peak_held_bytes", pa.int64()),  # without them, as the system can reclaim them
        pa.field("parameters", pa.int64()),
        pa.field("first_in_worker", pa.bool_()),  # its time includes compilation and cold caches
        pa.field("jobs", pa.int32(), nullable=False),  # how many jobs ran at the same time
    ],
    metadata={"benchbench_schema": str(SCHEMA_VERSION)},
)
"""One row per model and track: time, memory and status of the separation."""

LIVE: Final = pa.schema(
    [
        pa.field("live_id", pa.string(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("adapter_hash", pa.string(), nullable=False),
        pa.field("weights_hash", pa.string(), nullable=False),
        pa.field("options_hash", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("track", pa.string(), nullable=False),
        pa.field("block_s", pa.float64(), nullable=False),
        pa.field("blocks", pa.int64(), nullable=False),
        pa.field("threads", pa.int32()),
        pa.field("delay_impulse_s", pa.float64()),  # null: no click in the output
        pa.field("delay_correlation_s", pa.float64()),
        pa.field("p50_s", pa.float64(), nullable=False),
        pa.field("p95_s", pa.float64(), nullable=False),
        pa.field("p99_s", pa.float64(), nullable=False),
        pa.field(
            "late_share", pa.float64(), nullable=False
        ),  # blocks that took longer than their duration
        pa.field("offline_difference_db", pa.float64()),  # null: exactly equal
    ],
    metadata={"benchbench_schema": str(SCHEMA_VERSION)},
)
"""One row per (live model, block length): its delay, and the time per block."""

STATUSES: Final = ("ok", "crashed", "timeout", "out_of_memory", "invalid_output", "failed")

REASONS: Final = {
    "silent_reference": "a reference is silent here, so the ratio is not defined",
    "silent_estimate": "an estimate is silent here, so the ratio is not defined",
    "silent_source_in_frame": "museval leaves out a frame in which any reference or estimate is silent",
    "silent_mixture": "the mixture is silent, so there is no level to compare the error with",
    "missing_estimate": "the model gives no such stem",
    "missing_reference": "the track has no such stem",
    "too_short": "the signal is shorter than one window",
    "below_floor": "the reference has next to no energy in this band",
    "single_source": "the metric needs at least two sources",
    "separation_failed": "the separator did not finish on this track",
    "metric_failed": "the metric could not be computed; the run's log says why",
    "metric_crashed": "the metric's process ended before it answered",
    "metric_timeout": "the metric did not answer within its time limit",
    "metric_invalid": "the metric returned something else than one finite number",
    "metric_undefined": "the metric says that it has no number here",
    "not_stated": "the source of this imported score states no number here, nor why",
    "not_finite": "the source of this imported score states an infinite number here",
    "too_soft": "the audio is so soft, or the error so small, that an absolute offset decides this",
    "out_of_range": "samples so large or so small that float64 cannot hold their energies",
    "ill_conditioned": "the references cannot be told apart well enough to trust this number",
    "capped": "the ratio is infinite or beyond the protocol's cap; the cap is stored",
    "estimate_padded": "the estimate was shorter than the references and zeros were appended",
    "estimate_trimmed": "the estimate was longer than the references and its end was ignored",
    "reference_trimmed": "the estimate was shorter and the references' end was ignored",
}
"""Every reason that ``scores.reason`` may contain, with its meaning."""
