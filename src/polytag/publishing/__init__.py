"""Model cards, tagger folders and pushes to the hub, from a finished run."""
