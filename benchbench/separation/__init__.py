"""From a mixture to stems: models, their environments and weights, and their worker processes."""
