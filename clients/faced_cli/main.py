"""The `faced-cli` command: reads the command line, runs one command, turns every end into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from faced_cli.arguments import Arguments, ImageArguments, VideoArguments, WebcamArguments, parse
from faced_cli.end_signals import Interrupted, end_signals_raised
from faced_cli.errors import CommandError, ModelsError
from faced_cli.terminal import prepare, print_text, tell

_BY_SIGNAL = 128  # added to the signal's number, as a shell would say it
_PIPE_CLOSED = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `faced-cli` with the arguments after its name; returns the exit code.

    0 done, 2 usage, 3 bad input, 4 server unreachable or refused, 5 models missing, 128 + N ended by signal N. With
    None the arguments are the process's own, and the process ends here.
    """
    prepare()
    with end_signals_raised():
        exit_code = _run(sys.argv[1:] if argv is None else argv)
        if argv is not None:
            return exit_code
        # All files and calls are closed. gRPC's own threads may still run, cannot be waited for, and abort the process
        # when they come back to an interpreter that is being taken down; so it is not taken down.
        os._exit(exit_code)


def _run(argv: Sequence[str]) -> int:
    try:
        exit_code = _exit_code(argv)
        print_text("")  # what argparse wrote
        return exit_code
    except CommandError as error:
        tell(str(error))
        return error.exit_code
    except Interrupted as error:
        tell("interrupted")
        return _BY_SIGNAL + error.number
    except BrokenPipeError:
        return _PIPE_CLOSED


def _exit_code(argv: Sequence[str]) -> int:
    try:
        return _command(parse(argv, os.environ))()
    except SystemExit as end:  # argparse's: its message is out already
        return end.code if isinstance(end.code, int) else 2


def _command(arguments: Arguments) -> Callable[[], int]:
    """Loads the packages of one command only: `status` needs neither OpenCV nor FFmpeg.

    Raises:
        ModelsError: one of them is not installed.
    """
    try:
        if isinstance(arguments, ImageArguments):
            from faced_cli.image_command import run_image

            return lambda: run_image(arguments)
        if isinstance(arguments, VideoArguments) and arguments.files.on_ray:
            from faced_cli.ray_videos import run_on_ray

            return lambda: run_on_ray(arguments)
        if isinstance(arguments, VideoArguments):
            from faced_cli.video_command import run_video

            return lambda: run_video(arguments)
        if isinstance(arguments, WebcamArguments):
            from faced_cli.webcam_command import run_webcam

            return lambda: run_webcam(arguments)
        from faced_cli.status_command import run_status

        return lambda: run_status(arguments)
    except ImportError as error:
        hint = "pip install 'faced-service[cpu,cli]'"
        if "libGL" in str(error) or "libgthread" in str(error):
            hint = "apt-get install libgl1 libglib2.0-0"
        if (error.name or "").partition(".")[0] == "ray":
            hint = "pip install 'faced-service[cpu,cli,ray]'"
        raise ModelsError(f"{error.name or 'a package'} cannot be loaded ({error}): {hint}") from error


if __name__ == "__main__":
    sys.exit(main())
