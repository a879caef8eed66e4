"""Training: augmentation, batches, the loss, recipes and the loop."""
