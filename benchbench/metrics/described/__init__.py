"""Protocols known only by their description, and metrics that need no references."""
