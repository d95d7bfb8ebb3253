"""From words to arrays, without TensorFlow."""
