"""Whether and when a stream that broke is taken up again."""

import logging
import math
import random
import time
from collections.abc import Callable

from faced_client.errors import Cancelled, FacedError, InvalidRequest, Overloaded, Unavailable

_logger = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_FACTOR = 2.0


class Resumption:
    """Tries again for `patience` seconds after the last outcome, or the last start with nothing to answer: a frame that
    ends its server ends its stream too.

    `clock` is monotonic, in seconds.

    Raises:
        InvalidRequest: `patience` is no number of seconds from 0.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not (math.isfinite(patience) and patience >= 0):
            raise InvalidRequest(f"reconnect: {patience} is no number of seconds from 0")
        self._patience = patience
        self._clock = clock
        self._has_begun = False
        self._broken_since: float | None = None
        self._pause = _FIRST_PAUSE_S

    def started(self, unanswered: int) -> None:
        """The server has taken the stream, and so many frames that it is to answer."""
        self._has_begun = True
        if not unanswered:
            self.progressed()

    def progressed(self) -> None:
        """An outcome came, or none is waited for."""
        self._broken_since = None
        self._pause = _FIRST_PAUSE_S

    def pause_after(self, error: FacedError) -> float | None:
        """Seconds to wait before the next try; None: the error is final."""
        now = self._clock()
        if self._broken_since is None:
            self._broken_since = now
        pause = self._pause * random.uniform(0.8, 1.2)  # so that many clients do not come at once
        if isinstance(error, Overloaded) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        if not self._may_pass(error) or now + pause > self._broken_since + self._patience:
            return None
        self._pause = min(self._pause * _FACTOR, _LONGEST_PAUSE_S)
        return pause

    def log(self, error: FacedError, server: str, unanswered: int) -> None:
        """Say that the stream is taken up again."""
        _logger.warning("a stream to %s broke (%s); %d frames are sent again", server, error, unanswered)

    def _may_pass(self, error: FacedError) -> bool:
        """A stream that was taken once will be again: its server ends calls when it stops, and is full at first."""
        return isinstance(error, Unavailable) or (self._has_begun and isinstance(error, Cancelled | Overloaded))
