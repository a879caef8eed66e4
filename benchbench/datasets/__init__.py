"""Data sets: a folder on disk -> tracks -> prepared audio."""
