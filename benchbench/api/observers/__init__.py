"""What follows a run: the bar of a notebook, and experiment trackers."""
