"""The checks of `bench doctor`, one module for each kind of thing."""
