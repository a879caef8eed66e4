"""The two-pass Wiener filter against norbert's, which holds the whole song."""

from __future__ import annotations

import warnings

import numpy as np
from spleeter_keras.inference import Separator
from spleeter_keras.wiener import EPSILON, SpatialModel

with warnings.catch_warnings():
    # It imports from a corner of SciPy that is deprecated.
    warnings.filterwarnings("ignore", message=".*scipy.ndimage", category=DeprecationWarning)
    import norbert


def test_two_passes_give_what_norbert_gives_at_once():
    rng = np.random.default_rng(0)
    stems, frames, bins = 3, 300, 20
    estimates = rng.random((stems, 2, frames, bins)).astype(np.float32) * 40
    spectrum = 30 * (
        rng.standard_normal((2, frames, bins)) + 1j * rng.standard_normal((2, frames, bins))
    ).astype(np.complex64)
    estimates[:, :, 7] = 0
    spectrum[:, 11] = 0

    model = SpatialModel(stems, bins)
    halves = [slice(0, 130), slice(130, frames)]
    for part in halves:
        peak = float(np.abs(spectrum[:, part]).max())
        model.observe(estimates[:, :, part], spectrum[:, part], peak)
    fitted = model.fit()
    ours = np.concatenate(
        [np.stack(fitted.apply(estimates[:, :, p], spectrum[:, p])) for p in halves], axis=2
    )

    peers = norbert.wiener(
        estimates.transpose(2, 3, 1, 0).astype(np.float64),
        spectrum.transpose(1, 2, 0).astype(np.complex128),
        eps=EPSILON,
    )
    np.testing.assert_allclose(ours, peers.transpose(3, 2, 0, 1), atol=2e-5 * np.abs(peers).max())


def test_the_stems_still_add_up(tiny, tiny_weights, noise):
    # White, because the regularization takes energy from bins far below the loudest.
    mixture = np.diff(noise[:, :700_001]).astype(np.float32)
    stems = Separator(tiny, tiny_weights.items(), mwf=True).separate(mixture, 44_100)
    plain = Separator(tiny, tiny_weights.items()).separate(mixture, 44_100)
    assert stems["vocals"].shape == mixture.shape
    difference = sum(stems.values()) - sum(plain.values())
    assert np.abs(difference).max() < 1e-2 * np.abs(mixture).max()
    assert np.abs(stems["vocals"] - plain["vocals"]).max() > 1e-2 * np.abs(mixture).max()


def test_a_silent_song_stays_silent(tiny, tiny_weights):
    silence = np.zeros((2, 100_000), np.float32)
    for stem in Separator(tiny, tiny_weights.items(), mwf=True).separate(silence, 44_100).values():
        assert not stem.any()
