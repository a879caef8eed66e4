"""ViSQOL's parts against closed forms and direct filtering, and its numbers against visqol-python's."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

FOLDER = Path(__file__).parents[1] / "metrics" / "visqol"


@pytest.fixture(scope="module")
def visqol():
    sys.path.insert(0, str(FOLDER))
    try:
        from visqol_audio import alignment, gammatone, measure, quality

        yield {
            "gammatone": gammatone,
            "alignment": alignment,
            "measure": measure,
            "quality": quality,
        }
    finally:
        sys.path.remove(str(FOLDER))


def voice(seconds=3.0, seed=0):
    """Something with partials, vibrato and pauses, at 48 kHz."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(48000 * seconds)) / 48000
    phase = 2 * np.pi * np.cumsum(220 + 6 * np.sin(2 * np.pi * 5 * time)) / 48000
    tone = sum(np.sin(n * phase) / n for n in range(1, 20))
    return 0.1 * tone * (np.sin(2 * np.pi * 0.7 * time) > -0.5) + 1e-3 * rng.standard_normal(
        len(time)
    )


def test_levels_are_those_of_direct_filtering(visqol):
    gammatone = visqol["gammatone"]
    audio = voice(0.2)
    levels = gammatone.levels(audio)
    sections, poles = gammatone._coefficients()
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(gammatone.FRAME) / (gammatone.FRAME - 1))
    frame = audio[gammatone.HOP : gammatone.HOP + gammatone.FRAME] * window
    for band in range(gammatone.BANDS):
        out = frame
        for section in sections[:, :, band]:
            out = lfilter(section, [1, *poles[:, band]], out)
        assert 10 * np.log10(np.sqrt(np.mean(out**2))) == pytest.approx(levels[band, 1], abs=1e-6)


def test_delay_is_found_to_the_sample(visqol):
    audio = voice()
    late = np.concatenate([np.zeros(317), audio])[: len(audio)]
    assert visqol["alignment"].best_lag(audio, late) == -317
    assert visqol["alignment"].best_lag(late, audio) == 317


@pytest.fixture(scope="module")
def score(visqol):
    model = visqol["quality"].QualityModel.read(FOLDER / "libsvm_nu_svr_model.txt")
    return lambda first, second: visqol["measure"].mean_opinion_score(first, second, model)


def test_gain_and_delay_change_nothing_and_silence_is_worst(score):
    audio = voice()
    assert score(audio, audio) == pytest.approx(4.7321, abs=1e-4)
    assert score(audio, 0.2 * audio) == pytest.approx(4.7321, abs=1e-3)
    assert score(audio, np.roll(audio, 480)) > 4.5
    assert score(audio, np.zeros_like(audio)) == 1.0
    with pytest.raises(ValueError, match="silent"):
        score(np.zeros_like(audio), audio)


def test_numbers_are_visqol_pythons(score):
    """Kept from visqol-python 3.8.0 on these signals; `tox -e visqol` compares afresh."""
    audio = voice()
    noise = np.random.default_rng(1).standard_normal(len(audio))
    kept = np.loadtxt(Path(__file__).parent / "data" / "visqol_scores.txt")
    estimates = [audio + level * noise for level in (0.001, 0.003, 0.01, 0.03, 0.1)]
    ours = [score(audio, estimate) for estimate in estimates]
    assert np.abs(np.array(ours) - kept).max() < 1e-3
