"""`faced-cli image`: pictures in; JSON, text and annotated copies out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

import faced_client
from faced_cli.arguments import ImageArguments
from faced_cli.connection import reach
from faced_cli.errors import CommandError, InputError, UsageError
from faced_cli.image_file import annotated_path, picture_files, read_bytes, real_path, upright_pixels, write_picture
from faced_cli.image_report import report
from faced_cli.overlay import annotate
from faced_cli.refusal import command_error, concerns_one_picture
from faced_cli.render import analysis_object, error_object, json_line
from faced_cli.terminal import output_failures_told, print_text, tell, visible
from faced_proto.types import FrameAnalysis

_TIMEOUT_S = 120.0


def run_image(arguments: ImageArguments) -> int:
    """Analyses one picture after the other; one that fails is told and does not stop the rest. Returns the exit code.

    Raises:
        CommandError: what would fail for every picture.
    """
    if arguments.annotate is not None:
        _make_folder(arguments.annotate)
    # All of them before the first copy is written: a copy is no source, and replaces none.
    sources = [(path, _pictures_of(path)) for path in arguments.paths]
    taken = {real_path(file) for _, files in sources if not isinstance(files, InputError) for file in files}
    exit_code = 0
    with reach(arguments.connection) as reached:
        pictures = _Pictures(reached.client, arguments, taken)
        for path, files in sources:
            for failure in pictures.process_all(path, files):
                tell(str(failure))
                exit_code = max(exit_code, failure.exit_code)
    return exit_code


class _Pictures:
    """`taken` are the `real_path`s of what must not be written over; copies are added to them."""

    def __init__(self, client: faced_client.Client, arguments: ImageArguments, taken: set[Path]) -> None:
        self._client = client
        self._arguments = arguments
        self._console = Console(highlight=False, soft_wrap=False)
        self._taken = taken
        self._printed = False

    def process_all(self, path: Path, files: Sequence[Path] | InputError) -> Iterator[CommandError]:
        """The pictures that `path` stands for; gives what went wrong with each.

        Raises:
            CommandError: what would go wrong with every picture.
        """
        if isinstance(files, InputError):
            self._print_error(path, files, files.reason)
            yield files
            return
        for file in files:
            failure = self.process(file)
            if failure is not None:
                yield failure

    def process(self, path: Path) -> CommandError | None:
        """Analyses, prints and draws one picture; returns what went wrong with it.

        Raises:
            CommandError: what would go wrong with every picture.
        """
        try:
            content = read_bytes(path)
            analysis = self._analyse(content)
        except InputError as error:
            self._print_error(path, error, error.reason)
            return error
        except faced_client.FacedError as error:
            told = command_error(error, str(path))
            if not concerns_one_picture(error):
                raise told from error
            self._print_error(path, told, error.reason.value if error.reason else "unreadable")
            return told
        try:
            written = self._draw(path, content, analysis)
        except InputError as error:
            self._print(path, analysis, None)
            return error
        self._print(path, analysis, written)
        return None

    def _analyse(self, content: bytes) -> FrameAnalysis:
        options = self._arguments.wishes.options(auto_upsample=None)
        return self._client.analyze(
            content,
            upsample_times=options.upsample_times,
            min_face_px=options.min_face_px,
            threshold=options.threshold,
            max_faces=options.max_faces,
            attributes=options.attributes,
            timeout=_TIMEOUT_S,
        )

    def _draw(self, path: Path, content: bytes, analysis: FrameAnalysis) -> Path | None:
        folder = self._arguments.annotate
        if folder is None:
            return None
        image = upright_pixels(path, content, analysis.width, analysis.height)
        target = annotated_path(folder, path, self._taken)
        write_picture(target, annotate(image, analysis, self._arguments.style))
        self._taken.add(real_path(target))
        return target

    def _print(self, path: Path, analysis: FrameAnalysis, written: Path | None) -> None:
        if self._arguments.json:
            print_text(json_line(analysis_object(str(path), analysis)) + "\n")
            return
        # Rich has an end of its own for a reader that has gone; and it flushes although the text is captured.
        with output_failures_told(), self._console.capture() as text:
            if self._printed:
                self._console.print()
            self._console.print(report(str(path), analysis, self._console))
            if written is not None:
                self._console.print(f"  drawn: {visible(str(written))}", style="dim", markup=False, soft_wrap=True)
        self._printed = True
        print_text(text.get())

    def _print_error(self, path: Path, error: CommandError, reason: str) -> None:
        if self._arguments.json:
            print_text(json_line(error_object(str(path), reason, str(error))) + "\n")


def _pictures_of(path: Path) -> Sequence[Path] | InputError:
    try:
        return picture_files(path)
    except InputError as error:
        return error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--annotate {folder}: cannot be made ({error.strerror})") from error
