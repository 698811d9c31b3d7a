"""A bounded queue from one thread to another that either end can close."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Channel(Generic[Item]):
    """Holds at most `capacity` items; one sender, one receiver."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._abandoned = False
        self._failure: BaseException | None = None

    def put(self, item: Item) -> bool:
        """Waits for room; false = the receiver wants no more, and the item is gone."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._capacity or self._abandoned)
            if not self._abandoned:
                self._items.append(item)
                self._changed.notify_all()
            return not self._abandoned

    def offer(self, item: Item) -> bool:
        """Adds the item if there is room at once; false = there is none, or the receiver wants no more."""
        with self._changed:
            if len(self._items) >= self._capacity or self._abandoned:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def end(self, failure: BaseException | None = None) -> None:
        """No more items will come; `failure` is raised at the receiver after the last one."""
        with self._changed:
            self._ended = True
            self._failure = failure
            self._changed.notify_all()

    def abandon(self) -> None:
        """The receiver wants no more; what waits in the queue is let go."""
        with self._changed:
            self._abandoned = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._ended or self._abandoned)
                if self._abandoned:
                    return
                if not self._items:
                    if self._failure is not None:
                        raise self._failure
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
