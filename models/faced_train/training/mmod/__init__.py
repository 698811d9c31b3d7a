"""Detectors of one's own: max-margin object detection (King, arXiv:1502.00046) in PyTorch, as dlib trains it."""
