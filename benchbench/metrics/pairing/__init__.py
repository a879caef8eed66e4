"""Which stem is which: names, swapped labels, estimates that come late."""
