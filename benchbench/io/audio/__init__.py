"""Audio: what files hold, however they were written, as arrays and as raw files that can be mapped."""
