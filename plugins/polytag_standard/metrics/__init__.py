"""The metrics: of spans, of tags, and partial ones."""
