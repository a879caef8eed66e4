"""The network in Keras: its layers, the encoder, and the ways from cells to vectors and back."""
