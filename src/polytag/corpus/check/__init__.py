"""Look a corpus over as a careful annotator would."""
