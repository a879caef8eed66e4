"""Arrays of audio: checked samples, memory that is mapped or kept, threads, transform lengths."""
