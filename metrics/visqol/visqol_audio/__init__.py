"""ViSQOL's audio mode: a mean opinion score from the similarity of gammatone spectrograms."""
