"""Generator of songs: instruments from soundfonts, singing from speech, and mixing.

Modules build on one another from left to right: generator, materials | notes,
midi, band, tunes | speech, singing | desk | plan, songs.
"""
