"""Scoring: stems and references -> rows of scores; verification with reference programs."""
