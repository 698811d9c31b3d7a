"""How many frames and bytes are in hand: who is taken, who waits, and who is refused at once; knows no pictures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from time import monotonic

from faced_service.errors import Overloaded
from faced_service.fair_queue import Entry, FairQueue, Flow

_SHARES = {"connection": 8, "caller and kind": 12, "caller": 16, "kind": 16}
"""A group gets another place while it holds fewer than so many times the free ones: a stream or connection; the
streams or the calls of a caller; a caller; all streams or all calls. One alone gets nearly all, and leaves some for
the next (dynamic thresholds; Choudhury, Hahne 1998)."""

_SMOOTHING = 0.1
_FIRST_GUESS_S = 0.05
_LEAST_RETRY_S = 0.05


class Admission:
    """Lives on one event loop.

    A frame that has a place goes through all stages: no stage's queue can be full for it. Patient frames, of streams,
    wait for a place in their turns; others are refused where there is none.
    """

    def __init__(
        self, *, queue_limit: int, max_bytes: int, on_bytes: Callable[[int], None] = lambda _bytes: None
    ) -> None:
        """`on_bytes` is told how many bytes are in hand whenever that changes."""
        self._limit, self._max_bytes, self._on_bytes = queue_limit, max_bytes, on_bytes
        # By group.
        self._in_hand: Counter[Hashable] = Counter()
        self._placed = self._uploads = 0
        self._held_bytes = self._placed_bytes = 0
        self._waiting: FairQueue[int, None, None] = FairQueue()
        self._room = asyncio.Event()
        self._room.set()
        self._frame_s: float | None = None
        self._busy_since = 0.0

    @property
    def waiting(self) -> int:
        """Frames that have no place yet."""
        return len(self._waiting)

    @property
    def bytes(self) -> int:
        """Bytes of messages and pictures in hand."""
        return self._held_bytes + self._placed_bytes

    @contextmanager
    def upload(self, flow: Flow) -> Iterator[None]:
        """While the picture of a call arrives.

        Raises:
            Overloaded: it would find no place, or as many arrive as there are places.
        """
        if self._uploads >= self._limit:
            raise self._refusal(f"{self._uploads} pictures are arriving, and queue_limit is {self._limit}")
        self._require(flow, 0)
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    def hold(self, size: int) -> Callable[[], None]:
        """Counts `size` bytes that are there anyway, until the function that it gives is called for the first time."""
        self._held_bytes += size
        held = size

        def let_go() -> None:
            nonlocal held
            self._held_bytes -= held
            held = 0
            self._hand_on()

        self._look_for_room()
        return let_go

    async def room(self) -> None:
        """Waits until fewer bytes than the limit are in hand: before a stream takes its next frame from its sender."""
        while not self._room.is_set():
            await self._room.wait()

    @asynccontextmanager
    async def place(
        self, flow: Flow, *, size: int, cost: float, patient: bool, deadline: float | None
    ) -> AsyncIterator[None]:
        """A place for a frame of `size` bytes while the context lasts; `cost` is what fairness goes by.

        Raises:
            Overloaded: not patient, and there is no place, or its turn would come after `deadline` (monotonic, s).
            Expired: patient, and there was none until `deadline`.
        """
        if patient:
            await self._wait(flow, size, cost, deadline)
        else:
            self._require(flow, size)
            self._require_time(flow, deadline)
            self._take(flow, size, patient)
        done = False
        try:
            yield
            done = True
        finally:
            self._give_back(flow, size, patient, done)

    def _require(self, flow: Flow, size: int) -> None:
        why = self._obstacle(flow, size, patient=False)
        if why is not None:
            raise self._refusal(why)

    def _require_time(self, flow: Flow, deadline: float | None) -> None:
        """Who gets turns waits for no more than as many of each other flow as it has itself."""
        flows = sum(1 for key, count in self._in_hand.items() if count and isinstance(key, Flow))
        ahead = min(self._placed, (self._in_hand[flow] + 1) * flows)
        if deadline is not None and self._frame_s is not None and monotonic() + ahead * self._frame_s > deadline:
            raise self._refusal(f"{ahead} frames would be analysed before this one, until after its deadline")

    def _refusal(self, why: str) -> Overloaded:
        seconds = self._placed * (_FIRST_GUESS_S if self._frame_s is None else self._frame_s)
        return Overloaded(why, retry_after=max(_LEAST_RETRY_S, seconds))

    def _obstacle(self, flow: Flow, size: int, *, patient: bool) -> str | None:
        """Why there is no place, or None."""
        return self._no_place(flow, patient) or self._no_bytes(size)

    def _no_place(self, flow: Flow, patient: bool) -> str | None:
        free = self._limit - self._placed
        if free <= 0:
            return f"{self._placed} frames are in hand, and queue_limit is {self._limit}"
        for name, group in _groups(flow, patient).items():
            if self._in_hand[group] >= _SHARES[name] * free:
                held = self._in_hand[group]
                return f"{held} frames of this {name} are in hand, and the last {free} places are for others"
        return None

    def _no_bytes(self, size: int) -> str | None:
        # One picture is always taken, and so what waits always gets on.
        if not self._placed_bytes or self.bytes + size <= self._max_bytes:
            return None
        return f"{self.bytes} bytes are in hand, and max_in_flight_bytes is {self._max_bytes}"

    async def _wait(self, flow: Flow, size: int, cost: float, deadline: float | None) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = Entry(size, None, 1, deadline, monotonic(), future, cost)
        self._waiting.add(flow, entry)
        self._hand_on()
        try:
            await future
        except asyncio.CancelledError:
            self._waiting.discard(flow, entry)
            if future.done() and not future.cancelled() and future.exception() is None:
                # It was handed over just before.
                self._give_back(flow, size, patient=True, done=False)
            raise

    def _hand_on(self) -> None:
        """Places to those who wait, in their turns."""
        self._look_for_room()
        handed = True
        while handed:
            handed = False
            for flow, entry in self._waiting.turns():
                if not entry.wanted():
                    self._waiting.discard(flow, entry)
                    handed = True
                    break
                if self._no_place(flow, patient=True) is not None:
                    continue
                # Smaller ones do not overtake: the larger one would wait for ever.
                if self._no_bytes(entry.item) is not None:
                    return
                self._waiting.pick(flow, entry)
                self._take(flow, entry.item, patient=True)
                entry.future.set_result(None)
                handed = True
                break

    def _take(self, flow: Flow, size: int, patient: bool) -> None:
        if not self._placed:
            self._busy_since = monotonic()
        self._placed += 1
        self._placed_bytes += size
        self._in_hand.update(_groups(flow, patient).values())
        self._look_for_room()

    def _give_back(self, flow: Flow, size: int, patient: bool, done: bool) -> None:
        self._placed -= 1
        self._placed_bytes -= size
        self._in_hand.subtract(_groups(flow, patient).values())
        # Unary plus leaves out what is 0.
        self._in_hand = +self._in_hand
        if done:
            now = monotonic()
            newest, self._busy_since = now - self._busy_since, now
            before = newest if self._frame_s is None else self._frame_s
            self._frame_s = before + _SMOOTHING * (newest - before)
        self._hand_on()

    def _look_for_room(self) -> None:
        self._on_bytes(self.bytes)
        if self.bytes < self._max_bytes:
            self._room.set()
        else:
            self._room.clear()


def _groups(flow: Flow, patient: bool) -> Mapping[str, Hashable]:
    """By the names in `_SHARES`."""
    return {"connection": flow, "caller and kind": (flow.caller, patient), "caller": flow.caller, "kind": patient}
