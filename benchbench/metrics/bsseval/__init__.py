"""The BSS Eval family: projections of estimates on shifted references."""
