"""Ratios of energies of whole tracks and windows: SDR and its scale-invariant variants."""
