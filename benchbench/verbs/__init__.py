"""What benchbench does, as plain functions: one module a verb of the command line."""
