"""Find likely annotation errors in a corpus."""
