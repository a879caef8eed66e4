"""Protocols that are known by description, and those that need no references."""
