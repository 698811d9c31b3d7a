"""How a live run is going: rates, ages and counts, and the words that say so."""

from __future__ import annotations

import time
from collections import deque
from statistics import median

from faced_cli.live_analysis import Analysed
from faced_proto.types import FrameAnalysis, FrameFailure

_RECENT = 30
_REMEMBERED = 20_000
"""Frames that medians are taken of."""


class LiveMeter:
    """Counts and times of the frames that were shown, or printed; all in seconds, moments monotonic.

    `dropped` are frames of the source that were not analysed because a newer one was there.
    """

    def __init__(self) -> None:
        self.frames = self.dropped = self.faces = self.failed = 0
        self._device = ""
        self._began: float | None = None
        self._last_index: int | None = None
        self._ages: deque[float] = deque(maxlen=_REMEMBERED)
        self._analyses: deque[float] = deque(maxlen=_REMEMBERED)
        self._shown: deque[float] = deque(maxlen=_RECENT)

    @property
    def seconds(self) -> float:
        """Since the first frame."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def add(self, analysed: Analysed, shown: float) -> None:
        """A frame was shown, or its row printed, at the moment `shown`."""
        frame, result = analysed.frame, analysed.outcome.result
        if self._began is None:
            self._began = shown
        self.frames += 1
        self.dropped += 0 if self._last_index is None else frame.index - self._last_index - 1
        self._last_index = frame.index
        self._ages.append(shown - frame.captured)
        self._shown.append(shown)
        if isinstance(result, FrameAnalysis):
            self.faces += len(result.faces)
            self._device = result.engine.device
            self._analyses.append(result.timing.total_us / 1e6)
        elif isinstance(result, FrameFailure):
            self.failed += 1

    def interrupt(self) -> None:
        """Frames that pass until the next one are not wanted, and no time of this run."""
        self._last_index = None
        self._shown.clear()

    def facts(self) -> str:
        """The last moments in few words, the most important first: frames a second, median age, drops, device."""
        recent = list(self._ages)[-_RECENT:]
        age = median(recent) if recent else 0.0
        span = self._shown[-1] - self._shown[0] if len(self._shown) > 1 else 0.0
        rate = (len(self._shown) - 1) / span if span > 0 else 0.0
        return f"{rate:.1f} frames/s  latency {1000 * age:.0f} ms  {self.dropped} dropped  {self._device}"

    def counts_text(self) -> str:
        """The whole run in numbers."""
        seconds = self.seconds
        return (
            f"{self.frames} frames, {self.dropped} dropped, {self.faces} faces, {seconds:.1f} s,"
            f" {self.frames / max(seconds, 1e-6):.1f} frames/s"
        )

    def latency_lines(self, source_rate: float | None) -> list[str]:
        """Ages over the whole run, and what they are made of; none if nothing was analysed."""
        if not self._ages or not self._analyses:
            return []
        ages = sorted(self._ages)
        typical, analysis = 1000 * median(ages), 1000 * median(self._analyses)
        most = 1000 * ages[int(0.95 * (len(ages) - 1))]
        every = f"; a frame came every {1000 / source_rate:.0f} ms" if source_rate else ""
        return [
            f"age when shown: median {typical:.0f} ms, 95 % within {most:.0f} ms",
            f"  of which analysis {analysis:.0f} ms, else {typical - analysis:.0f} ms{every}",
        ]
