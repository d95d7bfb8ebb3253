"""The two encoders that come with polytag: `compact`, and pretrained checkpoints."""
