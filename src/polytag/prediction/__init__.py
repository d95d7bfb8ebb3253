"""Tag files, streams and data lakes."""
