"""Training of networks with PyTorch; the server imports nothing of it."""
