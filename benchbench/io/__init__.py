"""Files: audio, raw audio, atomic writes, hashes, cache, downloads, archives, remote folders."""
