"""Several runs: searches for the best options, and learning curves."""
