"""The networks of encoders as ONNX models, written operator by operator from their saved weights."""
