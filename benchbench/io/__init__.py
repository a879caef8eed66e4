"""Files: audio, raw audio, atomic writes, hashes, the cache, downloads, archives, remote folders."""
