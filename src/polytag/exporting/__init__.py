"""Taggers for other runtimes, each checked against the original."""
