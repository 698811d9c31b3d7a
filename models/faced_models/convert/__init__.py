"""Foreign weights to ONNX and arrays; run by maintainers, never by a server."""
