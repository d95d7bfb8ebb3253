"""Taggers inside other programs."""
