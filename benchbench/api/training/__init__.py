"""Helpers for training loops: validation scores of a network, and songs without stems."""

from benchbench.api.training.callbacks import keras_callback, lightning_callback
from benchbench.api.training.validator import Validator

__all__ = ["Validator", "keras_callback", "lightning_callback"]
