"""The process that runs a separator: its program, its supervisor, its memory, its answers and its log."""
