"""A run: its plan, its batches, the pipeline that executes them, and the record of the run."""
