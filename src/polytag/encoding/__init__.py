"""Words -> model inputs: text to words, windows, features, batches; no TensorFlow."""
