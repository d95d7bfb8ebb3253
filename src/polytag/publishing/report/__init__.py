"""The report of a tagger: one page with all figures, and the same figures as JSON."""
