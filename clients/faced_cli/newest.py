"""A place for one item between two threads, where a newer one takes the place of one that was not fetched."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Newest(Generic[Item]):
    """Holds the newest item only. `replaced` counts those that nobody fetched."""

    def __init__(self) -> None:
        self.replaced = 0
        self._item: Item | None = None
        self._ended = False
        self._failure: BaseException | None = None
        self._changed = threading.Condition()

    @property
    def ended(self) -> bool:
        """No more items will come, and the last one was fetched."""
        with self._changed:
            return self._ended and self._item is None

    def put(self, item: Item) -> None:
        """Gives an item in place of the one that waits; of no effect after the end."""
        with self._changed:
            if self._ended:
                return
            self.replaced += self._item is not None
            self._item = item
            self._changed.notify_all()

    def end(self, failure: BaseException | None = None) -> None:
        """No more items will come; `failure` is raised at the receiver after the last one. The first end counts."""
        with self._changed:
            if not self._ended:
                self._ended = True
                self._failure = failure
                self._changed.notify_all()

    def take(self, timeout: float | None = None) -> Item | None:
        """Waits for an item, at most `timeout` seconds; None = there was none, or there will be no more.

        Raises:
            BaseException: what `end` was given, each time.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._ended, timeout)
            item, self._item = self._item, None
            if item is None and self._failure is not None:
                raise self._failure
            return item
