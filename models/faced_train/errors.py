"""What can be wrong with what an evaluation is given."""

from __future__ import annotations


class DataError(ValueError):
    """A data set cannot be read as it is; the message names the file, and the line or member."""
