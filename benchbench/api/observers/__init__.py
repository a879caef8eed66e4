"""Observers of a run: the notebook progress bar, and experiment trackers."""
