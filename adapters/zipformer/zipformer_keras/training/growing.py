"""From a variant's weights and a few songs to weights with one more stem."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..configuration import Configuration
from ..runtime import build_keras
from ..spectrum import Samples
from ..variants import VARIANTS
from ..weights import CONFIGURATION, HEADS, WEIGHTS_FILE, assign, read_weights, write_weights
from .adaptation import LIMIT_S, Settings, fit
from .song_cache import cached

OPTIONS = {entry.name for entry in fields(Settings)} - {"parts"} | {"beside"}


def grow(
    variant: str,
    examples: Mapping[str, Callable[[], tuple[Samples, Samples]]],
    output: Path,
    *,
    stem: str,
    initial: Path,
    options: Mapping[str, object],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Fit a stem and write the weights; see ``adapt.py``.

    Raises
    ------
    ValueError
        There is no such variant, or an option is wrong.
    """
    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r}; there are {', '.join(VARIANTS)}.")
    unknown = sorted(set(options) - OPTIONS)
    if unknown:
        raise ValueError(
            f"There is no option {unknown[0]!r}; there are {', '.join(sorted(OPTIONS))}."
        )
    given, notes = read_weights(initial / WEIGHTS_FILE)
    heads = any(name.startswith(HEADS) for name in given)
    configuration = replace(VARIANTS[variant], harmonics=heads)
    network = build_keras(configuration)
    assign(network, given)
    tell(f"Running {variant} on {len(examples)} examples")
    songs = {
        name: cached(network, configuration, *song(), LIMIT_S / len(examples))
        for name, song in examples.items()
    }
    outcome = fit(
        configuration,
        stem,
        list(songs.values()),
        _settings(options),
        _beside(options, configuration),
        tell,
    )
    grown = outcome.configuration
    assert grown.grown is not None
    about = {
        "variant": variant,
        "stem": stem,
        "beside": "+".join(grown.grown.beside),
        "steps": str(outcome.steps),
        "examples": str(len(songs)),
        CONFIGURATION: json.dumps(grown.as_values()),
    }
    write_weights(output / WEIGHTS_FILE, {**given, **outcome.arrays}, notes | about)
    return {
        "stems": list(grown.outputs),
        "beside": list(grown.grown.beside),
        "compared": outcome.compared,
        "steps": outcome.steps,
        "before": list(outcome.before),
        "after": list(outcome.after),
    }


def _beside(options: Mapping[str, object], configuration: Configuration) -> tuple[str, ...]:
    """The stems that the option ``beside`` names, such as ``vocals+other``; none: to be chosen."""
    names = tuple(filter(None, str(options.get("beside", "")).split("+")))
    unknown = sorted(set(names) - set(configuration.stems))
    if unknown or len(names) == len(configuration.stems):
        raise ValueError(
            f"beside names some of {', '.join(configuration.stems)}, such as vocals+other, not "
            f"{options['beside']!r}."
        )
    return names


def _settings(options: Mapping[str, object]) -> Settings:
    """Settings from options.

    Raises
    ------
    ValueError
        A value is not a positive number.
    """
    chosen = {name: value for name, value in options.items() if name != "beside"}
    for name, value in chosen.items():
        least = 0 if name == "seed" else 1
        whole = name != "learning_rate"
        if (whole and (not isinstance(value, int) or value < least)) or not isinstance(
            value, int | float
        ):
            raise ValueError(f"{name} must be a number of {least} or more, not {value!r}.")
    values: dict[str, Any] = chosen
    return Settings(**values)
