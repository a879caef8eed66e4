"""Data sets: a folder on disk becomes tracks, and tracks become prepared audio."""
