"""The live page, the camera socket and POST /v1/analyze: HTTP around the same core as gRPC."""
