"""What training makes small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from ..configuration import CHANNELS, Configuration
from ..spectrum import hann

LEVEL = 1e-3
"""Errors 30 dB below the mixture are as good as none; it also bounds the loss of silent stems."""

RESOLUTIONS = (256, 512, 1024, 2048, 4096)
"""Samples of the frames that the multi-resolution loss compares."""

Loss = Callable[..., Any]


def snr_loss(masks: Any, cells: Any, targets: Any, energy: Any, known: Any) -> Any:
    """Mean over known stems of 10 log10 (error / mixture + `LEVEL`): the SDR up to sign and a constant.

    Parameters
    ----------
    masks
        The network's answer, see `network.Network`.
    cells, targets, energy, known
        See `batches.cell_example`.
    """
    errors = error_energies(masks, cells, targets, energy)
    mixture = ops.sum(cells[:, :, :2], axis=(1, 2, 3))[:, None] + 1e-6
    levels = 10.0 / np.log(10.0) * ops.log(errors / mixture + LEVEL)
    return ops.sum(known * levels) / ops.sum(known)


def error_energies(masks: Any, cells: Any, targets: Any, energy: Any) -> Any:
    """Energy of what is wrong with every stem of every excerpt, (excerpts, stems).

    Parameters
    ----------
    masks, cells, targets, energy
        See `snr_loss`.
    """
    mixture = cells[:, :, None, :2]
    gained = ops.sum(masks * (masks * mixture - 2.0 * targets), axis=(1, 3, 4))
    return ops.maximum(gained + energy, 0.0)


def multi_resolution_loss(configuration: Configuration) -> Loss:
    """Mean absolute error of known stems' samples, plus that of complex spectra over `RESOLUTIONS`.

    Spectra are scaled like samples of noise, so that all terms weigh alike. The function takes
    masks and the arrays of `batches.wave_example`.
    """

    def loss(masks: Any, cells: Any, spectrum: Any, waves: Any, known: Any) -> Any:
        del cells
        error = waveforms(masks, spectrum, configuration) - waves
        error = error * (known / ops.mean(known))[:, :, None, None]
        # Where fewer than all frames overlap, the way back from a spectrum is not complete.
        edge = configuration.frame - configuration.step
        error = error[..., edge:-edge]
        error = ops.reshape(error, (-1, int(error.shape[-1])))
        total = ops.mean(ops.abs(error))
        for size in RESOLUTIONS:
            real, imaginary = ops.stft(error, size, size // 4, size)
            scale = (3.0 / 8.0 * size) ** -0.5
            both = ops.mean(ops.abs(real)) + ops.mean(ops.abs(imaginary))
            total = total + scale * both / len(RESOLUTIONS)
        return total

    return loss


def waveforms(masks: Any, spectrum: Any, configuration: Configuration) -> Any:
    """Masked spectra back to samples, in the graph.

    Parameters
    ----------
    masks
        The network's answer.
    spectrum
        float32 (batch, frames, 2, 2, bins): real and imaginary parts of the mixture's channels.
    configuration
        The variant.

    Returns
    -------
    (batch, stems, 2, samples).
    """
    frame, step = configuration.frame, configuration.step
    masks = expanded_masks(masks, configuration)
    real, imaginary = masks * spectrum[:, :, 0, None], masks * spectrum[:, :, 1, None]
    batch, frames, stems, _, bins = (int(size) for size in real.shape)
    missing = frame // 2 + 1 - bins
    pads = ((0, 0),) * 4 + ((0, missing),)
    waves = ops.irfft((ops.pad(real, pads), ops.pad(imaginary, pads)), fft_length=frame)
    # Analysis scales by 4 / frame; squared windows, frame / step of them, add up to 3/8 of that.
    window = hann(frame) * np.float32(frame / 4.0 * 8.0 * step / (3.0 * frame))
    waves = ops.transpose(waves * window, (0, 2, 3, 1, 4))
    parts = frame // step
    pieces = ops.reshape(waves, (batch, stems, CHANNELS, frames, parts, step))
    total = 0.0
    for part in range(parts):
        around = ((0, 0),) * 3 + ((part, parts - 1 - part), (0, 0))
        total = total + ops.pad(pieces[:, :, :, :, part], around)
    return ops.reshape(total, (batch, stems, CHANNELS, (frames + parts - 1) * step))


def expanded_masks(masks: Any, configuration: Configuration) -> Any:
    """Give every bin of the cells its cell's mask, on the last axis."""
    pieces, start = [], 0
    for group in configuration.groups:
        stop = start + group.count
        piece = masks[..., start:stop]
        pieces.append(ops.repeat(piece, group.bins, axis=-1) if group.bins > 1 else piece)
        start = stop
    return ops.concatenate(pieces, axis=-1)
