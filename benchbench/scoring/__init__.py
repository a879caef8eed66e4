"""From stems and references to rows of scores, and the check against reference programs."""
