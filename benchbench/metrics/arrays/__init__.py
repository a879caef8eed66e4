"""Helpers for audio arrays: checks of samples, memory, threads, transform lengths."""
