"""The two built-in encoders: `compact`, and pretrained checkpoints."""
