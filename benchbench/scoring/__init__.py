"""Score stems against references, and verify scores with reference programs."""
