"""Corpora: words in sentences, in documents where known, with one tag column per task."""
