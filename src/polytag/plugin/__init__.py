"""What plugins add, and how they are found."""
