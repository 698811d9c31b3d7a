import time

import numpy as np
import pytest

from faced_cli.live_analysis import Analysed
from faced_cli.live_meter import LiveMeter
from faced_cli.live_source import LiveFrame
from faced_proto.types import ErrorReason, FrameFailure, FrameOutcome

PIXEL = np.zeros((1, 1, 3), np.uint8)


@pytest.fixture
def add(analysis, face):
    def at(meter: LiveMeter, index: int, captured: float, shown: float, result=None) -> None:
        found = analysis(640, 480, face(0, 0, 100, 100))  # 44.3 ms of analysis
        outcome = FrameOutcome(index, None, found if result is None else result)
        meter.add(Analysed(LiveFrame(index, index / 30, captured, PIXEL), outcome), shown)

    return at


def test_rate_age_and_drops(add):
    meter = LiveMeter()
    for i in range(11):  # every third of 30 frames a second, shown 60 ms after its capture
        add(meter, 3 * i + 5, 0.1 * i, 0.1 * i + 0.06)
    assert (meter.frames, meter.dropped, meter.faces) == (11, 20, 11)
    assert meter.facts() == "10.0 frames/s  latency 60 ms  20 dropped  cpu"
    first, second = meter.latency_lines(30.0)
    assert first == "age when shown: median 60 ms, 95 % within 60 ms"
    assert second == "  of which analysis 44 ms, else 16 ms; a frame came every 33 ms"
    assert meter.latency_lines(None)[1] == "  of which analysis 44 ms, else 16 ms"


def test_frames_of_a_pause_are_not_dropped(add):
    meter = LiveMeter()
    add(meter, 0, 0.0, 0.05)
    meter.interrupt()
    add(meter, 300, 10.0, 10.05)
    add(meter, 301, 10.03, 10.08)
    assert meter.dropped == 0
    assert meter.facts().startswith("33.3 frames/s  latency 50 ms  0 dropped")


def test_failed_frames_are_counted_and_have_no_analysis(add):
    meter = LiveMeter()
    assert meter.facts().startswith("0.0 frames/s  latency 0 ms  0 dropped")
    add(meter, 0, time.monotonic(), time.monotonic(), FrameFailure(ErrorReason.INTERNAL, "no"))
    assert (meter.frames, meter.failed, meter.faces) == (1, 1, 0)
    assert meter.latency_lines(30.0) == []
    assert meter.counts_text().startswith("1 frames, 0 dropped, 0 faces, ")
