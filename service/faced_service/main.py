"""The `faced` command: finds its subcommands by entry point, and loads the one that is called."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol, cast

from faced_proto.version import __version__
from faced_service.exit_codes import DONE, USAGE

COMMAND_GROUP = "faced.commands"


class Command(Protocol):
    """A module that is a subcommand; the first line of its docstring is its help."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare flags and arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; gives the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; gives its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    commands = {entry.name: entry for entry in entry_points(group=COMMAND_GROUP)}
    parser = _top_parser(commands)
    if not words:
        parser.print_help()
        return DONE
    if words[0] not in commands:
        # Only --help and --version are left; everything else is refused by the parser.
        parser.parse_args(words)
        return USAGE
    return _run(commands[words[0]], words[1:])


def _run(entry: EntryPoint, words: Sequence[str]) -> int:
    try:
        command = cast(Command, import_module(entry.module))
    except ImportError as error:
        if ".so" not in str(error):
            # The commands are there with the SDK alone, the packages that they need are not.
            missing = error.name or error
            print(f"faced: error: {missing} is not installed: pip install '.[cpu,cli]'", file=sys.stderr)  # noqa: T201
            return USAGE
        # OpenCV's wheels leave these to the system.
        print(f"faced: error: a system library is missing: {error}", file=sys.stderr)  # noqa: T201
        print("faced: on Debian and Ubuntu: apt-get install libgl1 libglib2.0-0", file=sys.stderr)  # noqa: T201
        return USAGE
    parser = argparse.ArgumentParser(
        prog=f"faced {entry.name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def _top_parser(commands: Mapping[str, EntryPoint]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="faced", description="The face daemon.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"faced {__version__}")
    choices = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name in sorted(commands):
        choices.add_parser(name, help=_first_line(commands[name].module))
    return parser


def _first_line(module: str) -> str:
    """The module's first line of documentation, without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return "(not installed)"
    documentation = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    return (documentation or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
