"""From a corpus to the weights of the best epoch."""
