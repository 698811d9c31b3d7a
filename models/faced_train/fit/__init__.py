"""Calibrations fitted to what networks said of labelled faces; pure."""
