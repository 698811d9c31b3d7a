"""Requests: settings, images, batching, analysis, gRPC."""
