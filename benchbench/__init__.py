"""Evaluate, compare and gate music source separation."""
