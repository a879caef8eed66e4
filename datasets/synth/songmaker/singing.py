"""The voice: pulses of the vocal folds and breath, through a moving tract, recorded and mixed as in pop.

The folds give one pulse a period, each a little early or late (jitter) and
louder or softer (shimmer), as living voices do; the noise of breath pulses
with them. `diction` decides the movements, `vocal_tract` filters.
"""

import numpy as np
from scipy.signal import lfilter

from .diction import FRAME, Gestures, perform
from .effects import band, boost, high_pass, levelled, reverberated, room
from .score import Note, Singer, SongSpec, melody, second_voice
from .signals import SAMPLE_RATE, Signal, chance, fade, place, seconds_to_samples
from .vocal_tract import articulate, tract_response

_TAPS = np.arange(-8, 9)


def glottal_pulses(pitch: Signal, strength: Signal, random: np.random.Generator) -> Signal:
    """Return band-limited pulses (samples,) at the closures of the vocal folds.

    `pitch` in Hz and `strength` are given per sample. Each pulse is a windowed
    sinc at its exact, fractional time, so that there is no aliasing.
    """
    phase = np.cumsum(pitch) / SAMPLE_RATE
    before = np.flatnonzero(np.diff(np.floor(phase)) > 0)
    ahead = np.ceil(phase[before]) - phase[before]
    period = SAMPLE_RATE / pitch[before]
    moments = before + ahead * period + 0.004 * period * random.standard_normal(before.size)
    sizes = strength[before] * (1.0 + 0.04 * random.standard_normal(before.size)) * np.sqrt(period)
    nearest = np.round(moments).astype(np.int64)
    offset = _TAPS[np.newaxis] - (moments - nearest)[:, np.newaxis]
    kernel = np.sinc(offset) * np.cos(np.pi * offset / 18.0) ** 2
    pulses = np.zeros(pitch.size + 2 * _TAPS.size)
    np.add.at(pulses, nearest[:, np.newaxis] + _TAPS + _TAPS.size, sizes[:, np.newaxis] * kernel)
    return pulses[_TAPS.size : _TAPS.size + pitch.size]


def glottal_shape(pulses: Signal) -> Signal:
    """Give pulses the spectrum of flow through the folds, seen from outside the lips.

    Two poles at the glottal formant and a zero at 0 Hz: as the derivative of
    the Liljencrants-Fant pulse, it rises to about 200 Hz and then falls by
    6 dB an octave.
    """
    radius = np.exp(-2.0 * np.pi * 200.0 / SAMPLE_RATE)
    return np.asarray(lfilter([1.0, -0.995], [1.0, -2.0 * radius, radius**2], pulses))


def hiss(gestures: Gestures, samples: int, random: np.random.Generator) -> Signal:
    """Return the noise of narrow passages and bursts: S, T, K and similar sounds."""
    track = np.zeros(samples)
    for sound in gestures.sounds:
        if sound.phoneme.noise is None:
            continue
        strength, low, high = sound.phoneme.noise
        seconds = sound.end - sound.start
        burst = min(sound.phoneme.burst, seconds)
        length = burst if burst else seconds + 0.02
        if length < 0.004:
            continue
        noise = band(random.standard_normal(seconds_to_samples(length)), low, high)
        shaped = (
            fade(noise, 0.001, 0.8 * length) if burst else fade(noise, 0.3 * length, 0.3 * length)
        )
        place(track, shaped, sound.end - burst if burst else sound.start - 0.01, strength)
    return track


def dry_voice(
    gestures: Gestures, singer: Singer, seconds: float, random: np.random.Generator
) -> Signal:
    """Return the mono voice (samples,) as a microphone would hear it."""
    samples = seconds_to_samples(seconds)
    clock = np.arange(samples) / SAMPLE_RATE
    frames = np.arange(gestures.pitch.size) * FRAME
    pitch, voice, breath = (
        np.interp(clock, frames, track)
        for track in (gestures.pitch, gestures.voice, gestures.breath)
    )
    folds = glottal_shape(glottal_pulses(pitch, voice, random))
    flow = 0.6 + 0.4 * np.cos(2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE)
    air = random.standard_normal(samples) * breath * np.where(voice > 0.1, flow, 1.0)
    folds *= 0.3 / (np.sqrt(np.mean(folds**2)) + 1e-9)
    tilt = singer.brightness * np.clip(gestures.voice + 2.0 * gestures.breath, 0.3, 1.2)
    response = tract_response(gestures.formants, tilt, singer.tract)
    sung = articulate(folds + 0.35 * high_pass(air, 800.0, 1), response)
    sung *= 0.25 / (np.sqrt(np.mean(sung**2)) + 1e-9)
    return sung + 0.35 * hiss(gestures, samples, random)


def doubled(voice: Signal, amount: float, random: np.random.Generator) -> Signal:
    """Put the voice in the middle and a wavering, later copy of it on each side; returns (2, samples)."""
    clock = np.arange(voice.size, dtype=np.float64)
    sides = []
    for delay in (0.017, 0.024):
        waver = 0.0012 * np.sin(
            2.0 * np.pi * (random.uniform(0.4, 0.9) * clock / SAMPLE_RATE + random.random())
        )
        sides.append(np.interp(clock - (delay + waver) * SAMPLE_RATE, clock, voice, left=0.0))
    return voice + amount * np.stack(sides)


def recorded(
    notes: list[Note], singer: Singer, seconds: float, random: np.random.Generator
) -> Signal:
    """Return one mono take (samples,), cleaned below, evened out and lifted where words are understood."""
    gestures = perform(notes, seconds, singer, random)
    voice = high_pass(dry_voice(gestures, singer, seconds, random), 90.0)
    return boost(levelled(voice, 0.5), 2500.0, 5000.0, 3.0)


def sing(song: SongSpec) -> Signal:
    """Return the vocals of a song, stereo (2, samples), at no particular level."""
    random = chance(song.seed, "vocals")
    notes = melody(song)
    lead = recorded(notes, song.singer, song.seconds, random)
    stereo = doubled(lead, song.singer.double, random)
    if song.harmony:
        second = recorded(second_voice(song, notes), song.singer, song.seconds, random)
        stereo += 0.35 * doubled(0.7 * second, 0.7, random)
    return reverberated(stereo, room(song.reverb, random), 0.12)
