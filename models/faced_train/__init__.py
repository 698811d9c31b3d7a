"""Evaluation, calibration, training and export; never imported by the server."""
