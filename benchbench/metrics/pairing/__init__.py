"""Match stems to targets: names, swapped labels, delayed estimates."""
