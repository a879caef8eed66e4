"""Recipes: one TOML file holds all settings of a training run."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from .variation import Variation, check_types

FOLDER = Path(__file__).resolve().parents[2] / "recipes"
LOSSES = ("snr", "multi-resolution")
SEPARATION = "separation"
OBJECTIVES = (
    SEPARATION, "clusters", "contrastive", "patches", "unmixing", "phones", "voicing"
)  # fmt: skip
NOTES, COMB = "notes", "comb"
HEADS = ("", NOTES, COMB)
RANGES = {
    "batch_size": (1, 4096),
    "frames": (1, 8192),
    "clusters": (2, 65_536),
    "learning_rate": (0.0, 1.0),
    "fall": (0.0, 1.0),
    "weight_decay": (0.0, 1.0),
    "clip": (1e-6, 1e6),
    "average": (0.0, 1.0),
    "seed": (0, 2**32 - 1),
}
CPU_BFLOAT16 = "onednn_bfloat16"
"""TensorFlow computes products in bfloat16 where the processor has instructions for it; variables,
their averages and the optimizer stay in float32."""
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", CPU_BFLOAT16)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a training run.

    Parameters
    ----------
    steps
        Gradient steps in all.
    batch_size, frames
        Excerpts of a step, and frames of an excerpt.
    loss
        ``"snr"``: error over mixture in dB, worked out on the cells. ``"multi-resolution"``:
        absolute error in time and of short-time spectra of several lengths.
    learning_rate
        The highest; AdamW's.
    warmup
        Steps until it is reached.
    fall
        Share of the steps, the last, in which it falls to zero (by the cosine).
    weight_decay, clip
        AdamW's decay, and the norm to which gradients are cut.
    average
        How much of the weights' running mean is kept at each step.
    validate_every, save_every
        Steps between two validations, and between two saved states.
    objective
        ``"separation"``, or a task without stems: ``"clusters"``,
        ``"contrastive"``, ``"patches"`` or ``"unmixing"``, or a task with speech: ``"phones"``
        or ``"voicing"``; see `objectives`.
    hidden, span
        Without stems: the share of the frames (or patches) that is hidden, and frames of a span.
    clusters
        Classes of frames, of ``"clusters"`` and ``"unmixing"``.
    teacher
        The separator, ``adapter`` or ``adapter:variant``, whose stems of songs without stems are
        learned beside songs with stems; empty: none.
    heads
        ``"notes"``: heads for pitch and activity learn beside the separation; ``"comb"``: what they say
        changes the masks too (`network.harmonics`); empty: no heads.
    precision
        ``"float32"``, or Keras' name of a mixed one where the hardware has it, or
        ``"onednn_bfloat16"``, for processors with AVX-512 BF16 or AMX.
    seed
        Of everything random.
    variation
        How excerpts are varied.
    """

    steps: int = 100_000
    batch_size: int = 4
    frames: int = 128
    loss: str = "snr"
    learning_rate: float = 2e-3
    warmup: int = 100
    fall: float = 0.5
    weight_decay: float = 0.01
    clip: float = 5.0
    average: float = 0.998
    objective: str = SEPARATION
    hidden: float = 0.45
    span: int = 10
    clusters: int = 64
    teacher: str = ""
    heads: str = ""
    validate_every: int = 500
    save_every: int = 250
    precision: str = "float32"
    seed: int = 0
    variation: Variation = field(default_factory=Variation)

    def __post_init__(self) -> None:
        check_types(self)
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name} must lie between {low} and {high}, not {getattr(self, name)}."
                )
        for name in ("steps", "warmup", "validate_every", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 0.0 < self.hidden < 1.0 or not 1 <= self.span < self.frames:
            raise ValueError(
                f"hidden must lie between 0 and 1, not {self.hidden}, and span between 1 and "
                f"{self.frames - 1} frames, not {self.span}."
            )
        if self.heads and (self.objective != SEPARATION or self.loss != "snr"):
            raise ValueError("Heads learn beside a separation with the loss 'snr' only.")
        choices = {
            "loss": LOSSES, "objective": OBJECTIVES, "precision": PRECISIONS, "heads": HEADS,
        }  # fmt: skip
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}."
                )

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        start = self.steps * (1.0 - self.fall)
        if step <= start:
            return self.learning_rate
        share = min((step - start) / (self.steps - start), 1.0)
        return self.learning_rate * 0.5 * (1.0 + float(np.cos(np.pi * share)))


def read_recipe(name: str, changes: Mapping[str, Any]) -> Recipe:
    """A recipe from its file, with some values changed.

    Parameters
    ----------
    name
        Of a file in this adapter's ``recipes`` without its ending, or a path.
    changes
        Values by name, of the recipe or of its variation.

    Raises
    ------
    ValueError
        There is no such file, or a name that no recipe has.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise ValueError(f"There is no recipe {name!r}; there are {known}, or give a .toml file.")
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    varied = values.pop("variation", {})
    if not isinstance(varied, dict):
        raise ValueError(f"variation in {path} must be a table, not {varied!r}.")
    of_variation = {entry.name for entry in fields(Variation)}
    of_recipe = {entry.name for entry in fields(Recipe)} - {"variation"}
    for key, value in changes.items():
        (varied if key in of_variation else values)[key] = value
    unknown = sorted((set(values) - of_recipe) | (set(varied) - of_variation))
    if unknown:
        raise ValueError(
            f"A recipe has no {', '.join(unknown)}; it has "
            f"{', '.join(sorted(of_recipe | of_variation))}."
        )
    return Recipe(**values, variation=Variation(**varied))
