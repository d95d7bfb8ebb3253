"""Words and tags from any source."""
