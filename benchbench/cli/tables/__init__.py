"""Results of commands as tables of text, and as plain values for JSON."""
