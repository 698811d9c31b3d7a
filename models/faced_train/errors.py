"""What can be wrong with what is given, or missing."""

from __future__ import annotations


class DataError(ValueError):
    """A data set cannot be read as it is; the message names the file, and the line or member."""


class PackageMissing(Exception):  # noqa: N818 - named by what happened
    """What is asked for needs a package that is not installed."""
