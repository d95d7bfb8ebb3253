"""Scores of taggers, with intervals, comparisons and mistakes."""
