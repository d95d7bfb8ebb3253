"""Searches for the best options of a run."""
