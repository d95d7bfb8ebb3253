"""What a finished run shows the world."""
