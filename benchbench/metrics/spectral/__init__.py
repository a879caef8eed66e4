"""Metrics of short-time spectra: bands, distances, logWMSE."""
