"""The reader of checkpoints against TensorFlow's own."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tensorflow as tf
from spleeter_keras.checkpoint import write_checkpoint
from spleeter_keras.tensor_bundle import BundleError, TensorBundle, unmasked


def test_masking_is_undone():
    value = 0x12345678
    masked = ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert unmasked(masked) == value


def test_every_tensor_equals_what_tensorflow_reads(tmp_path, tiny_weights):
    many = {f"more_{i}/values": np.full((i % 7, 3), i, np.float32) for i in range(500)}
    prefix = write_checkpoint(tmp_path, {**tiny_weights, **many, "scalar": np.float32(3)}, step=5)
    peer = tf.train.load_checkpoint(str(prefix))
    bundle = TensorBundle(prefix)
    shapes = peer.get_variable_to_shape_map()
    assert {name: list(entry.shape) for name, entry in bundle.entries.items()} == shapes
    for name in shapes:
        values = bundle.read(name)
        np.testing.assert_array_equal(values, peer.get_tensor(name))
        assert values.dtype == peer.get_tensor(name).dtype
    assert bundle.read("global_step") == 5


def save(prefix, tensors):
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )


def test_types_that_networks_do_not_have_are_refused(tmp_path):
    save(tmp_path / "model", {"text": tf.constant("a"), "fine": tf.constant(1.0)})
    bundle = TensorBundle(tmp_path / "model")
    assert bundle.read("fine") == 1.0
    with pytest.raises(BundleError, match="type, number 7, is not read"):
        bundle.read("text")


def test_any_changed_byte_of_the_index_is_noticed(tmp_path, tiny_weights):
    prefix = write_checkpoint(tmp_path, tiny_weights)
    index = tmp_path / "model.index"
    good = index.read_bytes()
    rng = np.random.default_rng(0)
    size = len(good)
    # The block that only says where filters would lie is not read; all others are.
    used = [*range(0, 2000, 97), *rng.integers(0, 2000, 20).tolist(), size - 1, size - 5]
    for position in used:
        bad = bytearray(good)
        bad[position] ^= 0x40
        index.write_bytes(bytes(bad))
        with pytest.raises(BundleError):
            TensorBundle(prefix)
    for length in (0, 10, 47, size // 2, size - 1):
        index.write_bytes(good[:length])
        with pytest.raises(BundleError):
            TensorBundle(prefix)
    index.write_bytes(bytes(40) + struct.pack("<Q", 0xDB4775248B80FB57))
    with pytest.raises(BundleError):
        TensorBundle(prefix)
