"""How a video run is going: a bar on a terminal's standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from faced_cli.terminal import visible


class VideoProgress:
    """A context manager that shows the bar; `frames` is how many there should be (None = not known).

    `done` and `faces` are those of the run that this one goes on with.
    """

    def __init__(self, name: str, frames: int | None, *, done: int = 0, faces: int = 0) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            _Rate(),
            TextColumn("{task.fields[faces]} faces", style="cyan"),
            TimeElapsedColumn() if frames is None else TimeRemainingColumn(),
            console=console,
            expand=True,
            disable=not console.is_terminal,
        )
        name = visible(name)
        self._task = self._bar.add_task(name if len(name) <= 24 else name[:23] + "~", total=frames, faces=faces)
        self._bar.update(self._task, completed=done)
        self._faces = faces

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def add(self, faces: int) -> None:
        """A frame is done."""
        self._faces += faces
        self._bar.update(self._task, advance=1, faces=self._faces)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Frames a second, over the last moments."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="green")
