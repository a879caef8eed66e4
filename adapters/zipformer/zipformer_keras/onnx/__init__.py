"""The same network as a graph for ONNX Runtime."""
