"""The commands: parse the flags, call a function of `benchbench`, print its result."""
