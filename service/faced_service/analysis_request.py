"""What is asked of one frame, and how it is to be fitted in between others."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from faced_proto.types import AnalysisOptions
from faced_service.fair_queue import Flow
from faced_service.frame_order import Place
from faced_service.images import Picture
from faced_service.live_scan import ScanTurn
from faced_service.turns import Turn

PICTURE_AUTO_UPSAMPLE = 1
"""One picture: one doubling where the caller chose no scale."""

STREAM_AUTO_UPSAMPLE = 0
"""Streams are about speed: no doubling where the caller chose no scale."""


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """A frame to analyse. Times are of the monotonic clock, in seconds.

    `caller`, and which `part` of what it sends this is (a stream, a connection), are what fairness goes by;
    `auto_upsample` are the doublings where the caller chose no scale; a `patient` request waits for a place where
    others are refused; detection begins before `begin_by` or not at all. Frames of a stream come to the
    detector in their order: each has a `place` in it or, where they are searched one after the other, a `scan_turn`,
    which decides where; without one, everywhere. `with_thumbnail`: the answer has one. `turn` is what `Analyzer.turn`
    gave.
    """

    picture: Picture
    options: AnalysisOptions
    caller: str
    auto_upsample: int
    part: str = ""
    patient: bool = False
    begin_by: float | None = None
    place: Place | None = None
    scan_turn: ScanTurn | None = None
    with_thumbnail: bool = False
    turn: Turn | None = None
    arrived: float = field(default_factory=monotonic)

    @property
    def flow(self) -> Flow:
        """See `fair_queue`."""
        return Flow(self.caller, self.part)
