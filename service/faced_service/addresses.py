"""Where a server listens, and why it cannot."""

from __future__ import annotations


class AddressError(Exception):
    """The address cannot be listened on."""
