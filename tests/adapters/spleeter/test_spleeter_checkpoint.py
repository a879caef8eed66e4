"""Checkpoints: names, shapes and counts of the published ones; every defect is named."""

from __future__ import annotations

import numpy as np
import pytest
from spleeter_keras.architecture import VARIANTS, Configuration, build_network, variable_shapes
from spleeter_keras.checkpoint import (
    CheckpointError,
    assign_weights,
    collect_weights,
    find_checkpoint,
    read_checkpoint,
    write_checkpoint,
)


@pytest.fixture
def folder(tmp_path, tiny_weights):
    write_checkpoint(tmp_path / "model folder", tiny_weights, step=7)
    return tmp_path / "model folder"


@pytest.mark.parametrize(
    ("variant", "variables", "values"),
    [("2stems", 149, 19_653_519), ("4stems", 297, 39_307_037), ("5stems", 371, 49_133_796)],
)
def test_published_counts(variant, variables, values):
    shapes = variable_shapes(VARIANTS[variant])
    assert len(shapes) + 1 == variables
    assert sum(int(np.prod(shape)) for shape in shapes.values()) + 1 == values
    assert variable_shapes(VARIANTS[f"{variant}-16kHz"]) == shapes


def test_some_published_names_and_shapes():
    shapes = variable_shapes(VARIANTS["4stems"])
    assert shapes["conv2d/kernel"] == (5, 5, 2, 16)
    assert shapes["conv2d_27/kernel"] == (4, 4, 1, 2)
    assert shapes["conv2d_transpose/kernel"] == (5, 5, 256, 512)
    assert shapes["conv2d_transpose_7/kernel"] == (5, 5, 128, 512)
    assert shapes["conv2d_transpose_23/bias"] == (1,)
    assert shapes["batch_normalization_47/moving_variance"] == (1,)
    assert "batch_normalization_48/gamma" not in shapes


def test_what_is_written_is_read(folder, tiny, tiny_weights):
    weights = read_checkpoint(folder, tiny)
    assert list(weights) == list(tiny_weights)
    for name, value in tiny_weights.items():
        np.testing.assert_array_equal(weights[name], value)
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint",
        "model.data-00000-of-00001",
        "model.index",
    ]


def test_a_network_gives_back_what_it_got(tiny, tiny_weights):
    network = build_network(tiny)
    assign_weights(network, tiny_weights.items())
    collected = collect_weights(network, tiny)
    assert set(collected) == set(tiny_weights)
    unused = "batch_normalization_5/"
    for name, value in tiny_weights.items():
        if not name.startswith((unused, "batch_normalization_17/")):
            np.testing.assert_array_equal(collected[name], value, err_msg=name)
    assert (collected[f"{unused}moving_variance"] == 1).all()


def test_without_the_list_the_only_checkpoint_is_taken(folder, tiny):
    (folder / "checkpoint").unlink()
    assert find_checkpoint(folder).name == "model"
    assert read_checkpoint(folder, tiny)


def test_the_path_in_the_list_may_be_of_another_machine(folder, tiny):
    (folder / "checkpoint").write_text('model_checkpoint_path: "C:\\\\work\\\\run\\\\model"\n')
    assert read_checkpoint(folder, tiny)


def test_no_folder(tmp_path, tiny):
    with pytest.raises(CheckpointError, match=r"no folder .*nowhere"):
        read_checkpoint(tmp_path / "nowhere", tiny)


def test_an_empty_folder(tmp_path, tiny):
    with pytest.raises(CheckpointError, match=r"no file 'checkpoint' and no file \*\.index"):
        read_checkpoint(tmp_path, tiny)


@pytest.mark.parametrize("name", ["model.index", "model.data-00000-of-00001"])
def test_a_missing_file_is_named(folder, tiny, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=rf"{name} is missing"):
        read_checkpoint(folder, tiny)


def test_a_list_that_names_nothing(folder, tiny):
    (folder / "checkpoint").write_text("<html>404</html>")
    with pytest.raises(CheckpointError, match="names no checkpoint"):
        read_checkpoint(folder, tiny)


def test_an_index_that_is_none(folder, tiny):
    (folder / "model.index").write_text("<html>404</html>")
    with pytest.raises(CheckpointError, match=r"model\.index cannot be read"):
        read_checkpoint(folder, tiny)


@pytest.mark.parametrize("how", ["short", "flipped"])
def test_damaged_values_are_noticed(folder, tiny, how):
    data = folder / "model.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    if how == "short":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 255
    data.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"Variable '.*' cannot be read"):
        read_checkpoint(folder, tiny)


def test_a_missing_variable_is_named(tmp_path, tiny, tiny_weights):
    weights = {k: v for k, v in tiny_weights.items() if k != "conv2d_3/bias"}
    write_checkpoint(tmp_path, weights)
    with pytest.raises(CheckpointError, match=r"'conv2d_3/bias' is missing"):
        read_checkpoint(tmp_path, tiny)


def test_a_foreign_variable_is_named(tmp_path, tiny, tiny_weights):
    write_checkpoint(tmp_path, {**tiny_weights, "dense/kernel": np.zeros((3, 4), np.float32)})
    with pytest.raises(CheckpointError, match=r"'dense/kernel'.*another network"):
        read_checkpoint(tmp_path, tiny)


def test_another_shape_is_named(tmp_path, tiny, tiny_weights):
    write_checkpoint(
        tmp_path, {**tiny_weights, "conv2d/kernel": np.zeros((5, 5, 2, 9), np.float32)}
    )
    with pytest.raises(CheckpointError, match=r"'conv2d/kernel'.*\(5, 5, 2, 9\).*\(5, 5, 2, 2\)"):
        read_checkpoint(tmp_path, tiny)


def test_values_that_are_not_finite_are_named(tmp_path, tiny, tiny_weights):
    bad = tiny_weights["conv2d_1/bias"] * np.nan
    write_checkpoint(tmp_path, {**tiny_weights, "conv2d_1/bias": bad})
    with pytest.raises(CheckpointError, match=r"'conv2d_1/bias'.*not finite"):
        read_checkpoint(tmp_path, tiny)


def test_what_an_optimizer_left_is_no_obstacle(tmp_path, tiny, tiny_weights):
    kernel = tiny_weights["conv2d/kernel"]
    left = {"conv2d/kernel/Adam": kernel, "beta1_power": np.float32(0.9)}
    write_checkpoint(tmp_path, {**tiny_weights, **left})
    assert set(read_checkpoint(tmp_path, tiny)) == set(tiny_weights)


def test_another_variant_is_recognized(tmp_path):
    shapes = variable_shapes(VARIANTS["4stems"])
    write_checkpoint(
        tmp_path, {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    )
    with pytest.raises(CheckpointError, match=r"another network. It looks like 4stems"):
        read_checkpoint(tmp_path, VARIANTS["2stems"])


def test_sizes_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match="divisible by 64"):
        Configuration(("a", "b"), ("elu", "elu"), "sigmoid", 1000)
    with pytest.raises(ValueError, match="'sigmoid' or 'softmax'"):
        Configuration(("a", "b"), ("elu", "elu"), "tanh")
