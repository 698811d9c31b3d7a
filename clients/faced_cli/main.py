"""The `faced-cli` command: reads the command line, runs one command, turns every end into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from faced_cli.arguments import Arguments, ImageArguments, VideoArguments, parse
from faced_cli.errors import CommandError, ModelsError

_INTERRUPTED = 130  # 128 + SIGINT, as a shell would say it
_PIPE_CLOSED = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `faced-cli` with the arguments after its name (None = the process's own); returns the exit code.

    0 done, 2 usage, 3 bad input, 4 server unreachable or refused, 5 models missing, 130 interrupted.
    """
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv, os.environ)
        exit_code = _command(arguments)()
        sys.stdout.flush()
    except SystemExit as end:  # argparse's: its message is out already
        return end.code if isinstance(end.code, int) else 2
    except CommandError as error:
        sys.stderr.write(f"faced-cli: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("faced-cli: interrupted\n")
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    return exit_code


def _command(arguments: Arguments) -> Callable[[], int]:
    """Loads the packages of one command only: `status` needs neither OpenCV nor FFmpeg.

    Raises:
        ModelsError: one of them is not installed.
    """
    try:
        if isinstance(arguments, ImageArguments):
            from faced_cli.image_command import run_image

            return lambda: run_image(arguments)
        if isinstance(arguments, VideoArguments):
            from faced_cli.video_command import run_video

            return lambda: run_video(arguments)
        from faced_cli.status_command import run_status

        return lambda: run_status(arguments)
    except ImportError as error:
        hint = "pip install 'faced-service[cpu,cli]'"
        if "libGL" in str(error) or "libgthread" in str(error):
            hint = "apt-get install libgl1 libglib2.0-0"
        raise ModelsError(f"{error.name or 'a package'} cannot be loaded ({error}): {hint}") from error


if __name__ == "__main__":
    sys.exit(main())
