"""Metrics of spans, of partially correct spans, and of tags."""
