"""What a comb can gain at most: its pitch from the true vocals or from the network's own vocals, nothing trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from zipformer_keras.configuration import Configuration, bin_count
from zipformer_keras.pitches import PITCHES, nearest
from zipformer_keras.spectrum import Synthesis, analyse, expanded
from zipformer_keras.training.heads import Heads, HeadSettings, Labelled
from zipformer_keras.training.labels import pitch
from zipformer_keras.variants import TINY

Scores = dict[str, np.ndarray]
HARMONIC = replace(TINY, harmonics=True)
CERTAIN = 30.0
"""Logit of a pitch that is given: the softmax of it is 1."""
FIXED = {"0.7": 0.7, "0.5": 0.5, "0.35": 0.35}
"""Gains between the partials, by name; inside the partials the gain is 1."""


class GivenPitch(Heads):
    """Heads that are given the pitch in place of the vectors' channels."""

    def __init__(self, configuration: Configuration = HARMONIC) -> None:
        super().__init__(configuration)
        self.layer.salience.assign([0.0, 0.0])

    def _outcome(self, logits, vectors, seen):  # noqa: ARG002 - the heads look at it
        from keras import ops

        logits, given = ops.cast(logits, "float32"), ops.cast(vectors[..., 0], "int32")
        answer = CERTAIN * ops.one_hot(given, PITCHES + 1)
        sounding = ops.zeros((*given.shape, len(self.configuration.stems)))
        raised = logits + self.layer.added(answer, sounding)
        return ops.softmax(raised, axis=2), answer, sounding


def with_pitch(songs: Labelled, pitches: np.ndarray) -> Labelled:
    """The same excerpts for `GivenPitch`, with these pitches, (excerpts, frames)."""
    return replace(songs, vectors=pitches[..., None].astype(np.float32))


def comb_rows(
    taught: Labelled, tested: Labelled, own: np.ndarray, songs_of: list[int],
    report: Callable[[str, Scores], None],
) -> None:  # fmt: skip
    """Report the scores of every comb whose pitch is given.

    Parameters
    ----------
    taught, tested
        Excerpts of train songs and of test songs.
    own
        Pitches that YIN finds in the network's own vocals of the test songs, (excerpts, frames).
    songs_of
        Which song each excerpt is of.
    report
        Called with the name of a row and its scores.
    """
    pitches = {"the true vocals": tested.pitches, "the network's own vocals": own}
    for source, found in pitches.items():
        given = with_pitch(tested, found)
        for name, gain in FIXED.items():
            report(f"comb, pitch of {source}, gain {name} between partials, untrained",
                   _fixed(GivenPitch(), gain).scores(given, songs_of))  # fmt: skip
    for name, gain in FIXED.items():
        report(f"comb, pitch by the untrained detectors, gain {name} between partials",
               _fixed(Heads(HARMONIC), gain).scores(tested, songs_of))  # fmt: skip
    settings = HeadSettings(heads=False, gate=False, steps=150)
    truth = with_pitch(tested, tested.pitches)
    trained = (
        ("train songs", with_pitch(taught, taught.pitches)),
        ("the test songs (ceiling)", truth),
    )
    for name, songs in trained:
        heads = GivenPitch()
        heads.train(songs, settings)
        report(f"comb, pitch of the true vocals, gains fitted to {name}",
               heads.scores(truth, songs_of))  # fmt: skip


def _fixed(heads: Heads, between: float) -> Heads:
    """Heads whose comb multiplies the vocals' odds between the partials by a number."""
    heads.layer.between.assign(np.full(heads.layer.between.shape, np.log(between), np.float32))
    return heads


def own_pitches(songs: Labelled, stems: list[dict[str, np.ndarray]]) -> np.ndarray:
    """Pitches that YIN finds in the network's own vocals, (excerpts, frames).

    Parameters
    ----------
    songs
        What the network made of the excerpts.
    stems
        The excerpts' true stems, whose sum is separated.
    """
    vocals, found = TINY.stems.index("vocals"), []
    bins = TINY.frame // 2 + 1
    for logits, sounds in zip(songs.logits, stems, strict=True):
        odds = logits.astype(np.float32)
        odds = np.exp(odds - odds.max(axis=1, keepdims=True))
        mask = odds[:, vocals] / odds.sum(axis=1)
        mixture = np.sum([sounds[stem] for stem in TINY.stems], axis=0)
        length = (len(mask) - 1) * TINY.step + TINY.frame
        padded = np.pad(mixture, ((0, 0), (0, max(length - mixture.shape[1], 0))))[:, :length]
        spectrum = analyse(padded, TINY.frame, TINY.step, bin_count(TINY.groups))
        covered = expanded(mask, TINY.groups, spectrum.shape[-1]).transpose(1, 0, 2) * spectrum
        full = np.pad(covered, ((0, 0), (0, 0), (0, bins - covered.shape[-1])))
        samples = Synthesis(TINY.frame, TINY.step).add(full.astype(np.complex64), slice(None))
        samples = np.pad(samples, ((0, 0), (0, length - samples.shape[1])))
        found.append(nearest(pitch(samples, TINY.frame, TINY.step)))
    return np.stack(found)
