"""The Python functions of benchbench: one module per command of the command line."""
