"""A studio made of code: instruments from soundfonts, singing from speech, and a mixing desk.

Modules build on one another from left to right: generator, materials | notes,
midi, band, tunes | speech, singing | desk | plan, songs.
"""
