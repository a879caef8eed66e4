"""Songs rendered by code: a score, a band and a singer, in NumPy and SciPy only.

Modules build on one another from left to right: signals, effects, score,
phonemes, vocal_tract, diction, singing | tones, drums, bass, accompaniment |
render, songs.
"""
