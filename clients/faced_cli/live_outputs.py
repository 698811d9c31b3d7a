"""What a live run leaves behind: rows, recordings and snapshots."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from faced_cli.errors import InputError
from faced_cli.image_file import write_picture
from faced_cli.live_recording import LiveRecording
from faced_cli.live_source import LiveFrame
from faced_cli.rows_file import RowsFile
from faced_cli.terminal import is_standard_output, tell
from faced_proto.json_values import JsonObject
from faced_proto.types import RgbImage


class LiveOutputs:
    """A context manager; leaving ends what is under way. A recording that fails ends, and everything else goes on.

    `rows` and `record` None = none; `rate` is the source's in frames a second (None = not known).
    """

    def __init__(self, rows: Path | None, record: Path | None, rate: float | None) -> None:
        self._rows = RowsFile(rows) if rows is not None else None
        self._record = record
        self._rate = rate
        self._recording: LiveRecording | None = None
        self._ended: list[LiveRecording] = []
        self._failure: InputError | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._rows is not None:
            self._stack.enter_context(self._rows)
        if self._record is not None:
            self._recording = LiveRecording(self._record, self._rate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            self.end_recording()

    @property
    def recorded_s(self) -> float | None:
        """How long the recording under way is, in seconds; None = there is none."""
        return self._recording.seconds if self._recording is not None else None

    @property
    def on_output(self) -> bool:
        """Whether standard output is for rows alone."""
        return self._rows is not None and is_standard_output(self._rows.path)

    def add_row(self, row: JsonObject) -> None:
        """Writes a row, if rows are written.

        Raises:
            InputError: it cannot be written.
        """
        if self._rows is not None:
            self._rows.write(row)

    def add_picture(self, frame: LiveFrame, image: RgbImage) -> None:
        """Records `image` (uint8 [h, w, 3] RGB), if it is recorded."""
        if self._recording is not None and not self._recording.add(frame, image):
            self.end_recording()

    def toggle_recording(self) -> str:
        """Begins a recording under a new name in the working folder, or ends the one under way; "" or what to say."""
        if self._recording is not None:
            return self.end_recording()
        self._recording = LiveRecording(_new_path(".mp4"), self._rate)
        return ""

    def end_recording(self) -> str:
        """Ends the recording, if there is one; "" or what to say."""
        recording, self._recording = self._recording, None
        if recording is None:
            return ""
        said = f"saved {recording.path}"
        try:
            recording.end()
        except InputError as error:
            self._failure = self._failure or error
            said = f"{error}; recording has ended"
            tell(said)
        if recording.frames:
            self._ended.append(recording)
        return said

    def save_snapshot(self, image: RgbImage) -> str:
        """Writes `image` (uint8 [h, w, 3] RGB) under a new name in the working folder; what to say."""
        path = _new_path(".png")
        try:
            write_picture(path, image)
        except InputError as error:
            return str(error)
        return f"saved {path}"

    def check(self) -> None:
        """To be called at the end.

        Raises:
            InputError: a recording failed.
        """
        if self._failure is not None:
            raise self._failure

    def held(self) -> list[str]:
        """The files that were written, in words; recordings once they have ended."""
        held = []
        for recording in self._ended:
            skipped = f", {recording.skipped} left out: encoding was too slow" if recording.skipped else ""
            held.append(f"{recording.path} ({recording.frames} frames{skipped})")
        if self._rows is not None and self._rows.count and not self.on_output:
            held.append(f"{self._rows.path} ({self._rows.count} rows)")
        return held


def _new_path(suffix: str) -> Path:
    """A name in the working folder that is not taken."""
    stem = time.strftime("faced-%Y%m%d-%H%M%S")
    path, number = Path(stem + suffix), 2
    while path.exists():
        path, number = Path(f"{stem}-{number}{suffix}"), number + 1
    return path
