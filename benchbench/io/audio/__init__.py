"""Audio: decode files of any format to arrays and to raw files for memory mapping."""
