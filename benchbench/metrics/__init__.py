"""Metrics of music source separation: pure functions of arrays, float64 inside."""
