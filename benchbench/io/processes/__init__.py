"""What processes share: locks, scratch folders, signals."""
