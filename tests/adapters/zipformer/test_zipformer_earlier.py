"""Files that were written while networks could have bands: what still runs loads, the rest is refused clearly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zipformer_keras import Separator
from zipformer_keras.configuration import Configuration, Grown
from zipformer_keras.runtime import build_keras
from zipformer_keras.shapes import weight_shapes
from zipformer_keras.training.starting import warm_start
from zipformer_keras.training.state import STATE, read_state
from zipformer_keras.variants import TINY, VARIANTS
from zipformer_keras.weights import (
    CONFIGURATION,
    WEIGHTS_FILE,
    WeightsError,
    assign,
    collect,
    noted,
    write_weights,
)

TINY_BEFORE: dict[str, Any] = {
    "width": 144, "heads": 4, "query_width": 16, "feedforward": 256,
    "stacks": [[1, 1, 1], [2, 1, 1], [4, 1, 2], [2, 1, 1]],
    "groups": [{"count": 12, "width": 8, "step": 1}, {"count": 12, "width": 24, "step": 1},
               {"count": 6, "width": 64, "step": 1}, {"count": 6, "width": 128, "step": 8}],
    "hidden": 0, "value_width": 12, "time_kernel": 15, "band_kernel": 7, "mask": "magnitude",
    "dropout": 0.0, "stems": ["vocals", "drums", "bass", "other"], "frame": 4096, "step": 1024,
    "chunk": None, "left": 8, "embed": [16, 24, 32, 32], "grown": None, "harmonics": False,
    "grouping": False, "query": False,
}  # fmt: skip
BASE_BEFORE = TINY_BEFORE | {
    "width": 96, "query_width": 24, "feedforward": 288,
    "stacks": [[1, 6, 1], [2, 4, 1], [4, 2, 1], [8, 2, 2], [4, 2, 1], [2, 4, 1]],
    "groups": [{"count": 12, "width": 8, "step": 1}, {"count": 12, "width": 24, "step": 1},
               {"count": 6, "width": 64, "step": 1}, {"count": 4, "width": 192, "step": 1},
               {"count": 2, "width": 256, "step": 1}],
    "hidden": 64, "mask": "complex", "dropout": 0.1, "embed": [],
}  # fmt: skip
REFUSED = "a vector for every band or complex masks, which this version cannot run"


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ({}, TINY),
        ({"chunk": 8}, VARIANTS["tiny-live"]),
        ({"harmonics": True}, replace(TINY, harmonics=True)),
        (
            {"grown": {"stem": "guitar", "beside": ["other"]}},
            replace(TINY, grown=Grown("guitar", ("other",))),
        ),
        ({"query": True, "stems": ["voice-1", "voice-2", "other"]}, VARIANTS["duet"]),
    ],
)
def test_an_earlier_configuration_is_read(changes: dict[str, Any], now: Configuration) -> None:
    values = json.loads(json.dumps(TINY_BEFORE | changes))
    assert Configuration.of_values(values) == now
    assert noted({CONFIGURATION: json.dumps(values)}, "any" if now.grown else _name(now)) == now
    assert Configuration.of_values(now.as_values()) == now


def _name(configuration: Configuration) -> str:
    plain = replace(configuration, harmonics=False)
    return next(name for name, variant in VARIANTS.items() if variant == plain)


@pytest.mark.parametrize(
    "values",
    [
        BASE_BEFORE,
        TINY_BEFORE | {"embed": []},
        TINY_BEFORE | {"mask": "complex"},
        TINY_BEFORE | {"stacks": [[1, 6, 1], [2, 4, 1]]},
    ],
)
def test_a_network_with_bands_or_complex_masks_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=REFUSED):
        Configuration.of_values(values)
    with pytest.raises(WeightsError, match=f"notes of the weights cannot be used: .*{REFUSED}"):
        noted({CONFIGURATION: json.dumps(values)}, "base")


NOT_A_NETWORK = "not the sizes of a network|cannot be halved|vector for every band"


@pytest.mark.parametrize(
    "changes",
    [
        {"embed": ()},
        {"embed": (16, 24, 32, 32, 32, 32)},
        {"stacks": [[1, 1, 1], [2, 1]]},
        {"stacks": [3]},
        {"stacks": [[1, 1, 1, 1]]},
        {"groups": [{"count": 12, "width": 8, "step": 0}]},
        {"groups": [{"count": 12}]},
        {"groups": 3},
    ],
)
def test_damaged_values_are_a_value_error(changes: dict[str, Any]) -> None:
    for values in (TINY_BEFORE, TINY.as_values()):
        with pytest.raises(ValueError, match=NOT_A_NETWORK):
            Configuration.of_values({**values, **changes})


def test_weights_with_bands_are_of_another_variant(
    tmp_path: Path, networks: dict[str, Configuration]
) -> None:
    """Such as those of `base` before it had an embedding: to separate with, and to start from."""
    trunk = {
        name: np.zeros(shape, np.float32)
        for name, shape in weight_shapes(networks["offline"]).items()
        if "embed" not in name
    }
    bands = {"split/kernel_0": (12, 32, 96), "split/bias_0": (12, 1, 96), "head/in": (36, 96, 64),
             "stack_0/down_bands/bias": (6,), "stack_0/bands_0/norm/bias": (96,)}  # fmt: skip
    arrays = trunk | {name: np.zeros(shape, np.float32) for name, shape in bands.items()}
    write_weights(tmp_path / WEIGHTS_FILE, arrays, {})
    with pytest.raises(WeightsError, match="lack embed/bias_0: they are of another variant"):
        Separator.from_folder("base", tmp_path)
    network = build_keras(networks["offline"])
    with pytest.raises(WeightsError, match="lack embed/bias_0: they are of another variant"):
        assign(network, warm_start(arrays, collect(network)))


def test_the_state_of_a_run_with_bands_is_not_continued(tmp_path: Path) -> None:
    about = {"configuration": BASE_BEFORE, "objective": "separation", "step": 7}
    with (tmp_path / STATE).open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)))
    with pytest.raises(ValueError, match=rf"{STATE} cannot be read .*{REFUSED}.*another folder"):
        read_state(tmp_path, [], VARIANTS["base"], "separation")
    about["configuration"] = TINY_BEFORE
    with (tmp_path / STATE).open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)))
    assert read_state(tmp_path, [], TINY, "separation")[1]["step"] == 7
