"""ViSQOL's audio mode: how similar two gammatone spectrograms are, as a mean opinion score."""
