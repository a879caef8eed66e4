"""A run: what is planned, in which batches, by which pipeline, and what is recorded of it."""
