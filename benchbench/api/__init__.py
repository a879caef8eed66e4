"""What benchbench does, as plain functions: one module a command of the command line."""
