"""The same service behind Ray Serve: replicas on many machines, one address."""
