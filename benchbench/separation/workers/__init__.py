"""The process that runs a separator: program, supervisor, memory, answers and log."""
