"""Separation of a mixture into stems: models, their environments and weights, worker processes."""
