"""What is done with each analysed frame of a camera: shown, printed, recorded; and what its user types."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from faced_cli.drawing_style import Blur, DrawingStyle, PanelMode
from faced_cli.face_memory import FaceMemory
from faced_cli.live_analysis import Analysed, LiveAnalysis
from faced_cli.live_meter import LiveMeter
from faced_cli.live_outputs import LiveOutputs
from faced_cli.live_source import LiveSource
from faced_cli.live_strip import with_strip
from faced_cli.overlay import annotate_outcome
from faced_cli.refusal import frame_error
from faced_cli.render import outcome_object
from faced_cli.terminal import print_text, tell, visible
from faced_cli.webcam_window import Window
from faced_proto.types import Box, FrameAnalysis, FrameFailure, RgbImage

_TICK_S = 0.01
_REFRESH_S = 0.25
_SILENCE_S = 2.0
_NOTICE_S = 3.0
_PANELS = (PanelMode.LARGEST, PanelMode.EACH, PanelMode.NONE)
_BLURS = (Blur.NONE, Blur.FACES, Blur.ALL)
Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run ends by itself, counted from its first frame; None = never."""

    frames: int | None
    seconds: float | None


class LiveShow:
    """One run; `window` None = nothing is shown."""

    def __init__(
        self,
        source: LiveSource,
        analysis: LiveAnalysis,
        outputs: LiveOutputs,
        window: Window | None,
        style: DrawingStyle,
    ) -> None:
        self._source = source
        self._analysis = analysis
        self._outputs = outputs
        self._window = window
        self._style = style
        self._meter = LiveMeter()
        self._memory = FaceMemory()
        self._missing: list[Box] = []
        self._latest: tuple[Analysed, RgbImage] | None = None
        self._said, self._said_until = "", 0.0
        self._drawn_at = self._arrived = time.monotonic()
        self._failure: FrameFailure | None = None

    def run(self, limits: Limits) -> None:
        """Until the camera ends, a limit is reached, or its user quits.

        Raises:
            CommandError: the camera or the rows failed, or frames did.
            FacedError: the server failed.
        """
        while not self._has_reached(limits):
            analysed = self._analysis.take(_TICK_S if self._window is not None else _REFRESH_S)
            if analysed is not None:
                self._take(analysed)
            elif self._analysis.ended:
                break
            if self._window is None:
                self._tell_notice()
            elif not self._attend(self._window):
                break
        if self._failure is not None:
            told = f"{self._source.name}: {self._meter.failed} frames failed: {self._failure.message}"
            raise frame_error(self._failure, told)

    def tell(self) -> None:
        """Prints what was done, on standard output unless that is for rows."""
        if self._meter.frames == 0:
            return
        lines = [f"{self._source.name}: {self._meter.counts_text()}"]
        lines += [f"  -> {written}" for written in self._outputs.held()]
        for line in (*lines, *self._meter.latency_lines(self._source.rate)):
            if self._outputs.on_output:
                tell(line)
            else:
                print_text(visible(line) + "\n")

    def _has_reached(self, limits: Limits) -> bool:
        if limits.frames is not None and self._meter.frames >= limits.frames:
            return True
        return limits.seconds is not None and self._meter.seconds >= limits.seconds

    def _take(self, analysed: Analysed) -> None:
        frame, result = analysed.frame, analysed.outcome.result
        self._arrived = time.monotonic()
        if isinstance(result, FrameAnalysis):
            self._missing = self._memory.missing(frame.time_s, result.faces)
        if self._window is not None or self._outputs.recorded_s is not None:
            self._latest = (analysed, self._drawn(analysed))
            if self._window is not None:
                self._show(self._window, self._latest[1])
        shown = time.monotonic()
        self._analysis.proceed()  # not before: drawing beside an analysis takes twice as long
        self._meter.add(analysed, shown)
        if isinstance(result, FrameFailure):
            self._failure = self._failure or result
            self._say(f"frame failed: {result.message}")
        row = outcome_object(self._source.name, frame.index, frame.time_s, analysed.outcome)
        self._outputs.add_row({**row, "age_ms": round(1000 * (shown - frame.captured), 3)})
        if self._latest is not None:
            self._outputs.add_picture(frame, self._latest[1])

    def _drawn(self, analysed: Analysed) -> RgbImage:
        return annotate_outcome(analysed.frame.image, analysed.outcome.result, self._style, self._missing)

    def _show(self, window: Window, image: RgbImage) -> None:
        seconds = self._outputs.recorded_s
        recording = "" if seconds is None else f"REC {int(seconds) // 60}:{int(seconds) % 60:02d}"
        shown = with_strip(image, self._meter.facts(), recording, self._notice())
        window.show(shown, first=self._meter.frames == 0)
        self._drawn_at = time.monotonic()

    def _notice(self) -> str:
        now = time.monotonic()
        if now < self._said_until:
            return self._said
        if self._analysis.paused:
            return "paused"
        silent = now - self._arrived
        return self._source.notice or (f"no picture for {silent:.0f} s" if silent > _SILENCE_S else "")

    def _tell_notice(self) -> None:
        notice = self._source.notice
        if notice != self._said:
            self._said = notice
            tell(f"{self._source.name}: {notice or 'there again'}")

    def _say(self, text: str) -> None:
        if text and self._window is not None:
            self._said, self._said_until = text, time.monotonic() + _NOTICE_S

    def _attend(self, window: Window) -> bool:
        """Keys and the passing of time; false = it is to end."""
        if self._latest is not None and time.monotonic() > self._drawn_at + _REFRESH_S:
            self._show(window, self._latest[1])
        match window.key():
            case "q":
                return False
            case " ":
                self._analysis.pause()
                self._meter.interrupt()
            case "b":
                self._style = replace(self._style, blur=_after(self._style.blur, _BLURS))
                self._say(f"blur: {self._style.blur.value}")
            case "p":
                self._style = replace(self._style, panel=_after(self._style.panel, _PANELS))
                self._say(f"panel: {self._style.panel.value}")
            case "s":
                if self._latest is not None:
                    self._say(self._outputs.save_snapshot(self._latest[1]))
            case "r":
                self._say(self._outputs.toggle_recording())
            case _:
                return not window.closed
        if self._latest is not None:
            self._latest = (self._latest[0], self._drawn(self._latest[0]))
            self._show(window, self._latest[1])
        return not window.closed


def _after(value: Choice, values: Sequence[Choice]) -> Choice:
    return values[(values.index(value) + 1) % len(values)]
