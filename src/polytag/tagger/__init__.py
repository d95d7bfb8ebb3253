"""From text to tags."""
