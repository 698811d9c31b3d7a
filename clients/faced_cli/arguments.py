"""The command line of `faced-cli` as values."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from faced_cli.drawing_style import Blur, DrawingStyle, PanelMode
from faced_cli.terminal import visible
from faced_proto.types import AnalysisOptions
from faced_proto.version import __version__


@dataclass(frozen=True, slots=True)
class Connection:
    """Which server, and how to it; `server` None = one in this process. Paths of PEM files."""

    server: str | None
    token: str | None
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of every picture; None = the command's default. `attributes` None = all, () = none."""

    attributes: tuple[str, ...] | None
    upsample: int | Literal["auto"] | None
    min_face_px: int | None
    max_faces: int | None
    threshold: float | None

    def options(self, *, auto_upsample: int | None) -> AnalysisOptions:
        """As options of a request; `auto_upsample` is what "auto" means there (None = left to the server)."""
        return AnalysisOptions(
            upsample_times=auto_upsample if self.upsample == "auto" else self.upsample,
            min_face_px=self.min_face_px,
            threshold=self.threshold,
            max_faces=self.max_faces,
            attributes=self.attributes,
        )


@dataclass(frozen=True, slots=True)
class ImageArguments:
    """`faced-cli image`."""

    connection: Connection
    wishes: Wishes
    style: DrawingStyle
    paths: tuple[Path, ...]
    json: bool
    annotate: Path | None


@dataclass(frozen=True, slots=True)
class VideoArguments:
    """`faced-cli video`; `jsonl` "-" is standard output, `encode` as the SDK reads it, None = as suits the server."""

    connection: Connection
    wishes: Wishes
    style: DrawingStyle
    encode: str | None
    scan_interval: int | None
    source: Path
    output: Path | None
    jsonl: Path | None
    force: bool


@dataclass(frozen=True, slots=True)
class StatusArguments:
    """`faced-cli status`."""

    connection: Connection
    json: bool


Arguments = ImageArguments | VideoArguments | StatusArguments


def parse(argv: Sequence[str], environment: Mapping[str, str]) -> Arguments:
    """The arguments after the program's name.

    Raises:
        SystemExit: 2 with a message on standard error; 0 after --help and --version.
    """
    parser = _parser()
    given = parser.parse_args(argv)
    values = vars(given)
    if "upsample" in values and "min_face" in values:
        parser.error("--upsample and --min-face exclude each other: both say how far a picture is enlarged")
    connection = _connection(parser, values, environment)
    wishes = Wishes(
        attributes=values.get("attributes"),
        upsample=values.get("upsample"),
        min_face_px=values.get("min_face"),
        max_faces=values.get("max_faces"),
        threshold=values.get("threshold"),
    )
    if given.command == "image":
        return ImageArguments(
            connection, wishes, _style(values, PanelMode.EACH), tuple(given.paths), given.json, given.annotate
        )
    if given.command == "status":
        return StatusArguments(connection, given.json)
    if given.output is None and given.jsonl is None:
        parser.error("video: nothing would be written; give -o OUT.mp4, --jsonl FILE or both")
    return VideoArguments(
        connection,
        wishes,
        _style(values, PanelMode.EACH),
        values.get("encode"),
        values.get("scan_interval"),
        given.source,
        given.output,
        given.jsonl,
        given.force,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """As its base; what the user gave may hold what a terminal must not get."""
        super().error(visible(message))


def _parser() -> _Parser:
    common = _common_flags()
    parser = _Parser(
        prog="faced-cli",
        description="Finds faces and says how likely each emotion, gender and age is.",
        parents=[common],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"faced-cli {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    image = commands.add_parser("image", help="analyse pictures", parents=[common], allow_abbrev=False)
    image.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="JPEG, PNG, WebP or BMP file, or a folder of them"
    )
    image.add_argument("--json", action="store_true", help="one JSON object for each picture, one on a line")
    image.add_argument("--annotate", type=Path, metavar="DIR", help="write the pictures with faces drawn into DIR")

    video = commands.add_parser("video", help="analyse a video", parents=[common], allow_abbrev=False)
    video.add_argument("source", type=Path, metavar="IN", help="video file")
    video.add_argument("-o", "--output", type=Path, metavar="OUT.mp4", help="the video with faces drawn, sound kept")
    video.add_argument(
        "--jsonl", type=Path, metavar="FILE", help="one JSON object for each frame (- = standard output)"
    )
    video.add_argument("--force", action="store_true", help="write over files that exist")

    status = commands.add_parser("status", help="what the server runs", parents=[common], allow_abbrev=False)
    status.add_argument("--json", action="store_true", help="as one JSON object")
    return parser


def _common_flags() -> _Parser:
    # Not given = not in the namespace: so a flag before the command word is not overwritten by a default after it.
    flags = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    server = flags.add_argument_group("server")
    server.add_argument("--server", metavar="HOST:PORT", help="default: FACED_SERVER, else a server in this process")
    server.add_argument("--token", help="default: FACED_TOKEN")
    server.add_argument("--tls-ca", type=Path, metavar="FILE", help="certificates that the server's is checked with")
    server.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate of this client")
    server.add_argument("--tls-key", type=Path, metavar="FILE", help="key of --tls-cert")
    server.add_argument(
        "--encode",
        type=_encoding,
        metavar="raw|png|jpeg:Q",
        help="how frames of videos travel; default: raw in this process, jpeg:95 to a server; files travel as they are",
    )
    analysis = flags.add_argument_group("analysis")
    analysis.add_argument("--attributes", type=_attributes, metavar="A,B,..|all|none", help="default: all")
    analysis.add_argument(
        "--upsample",
        type=_upsample,
        metavar="auto|N",
        help="double the picture N times; default: auto (once, if it fits the server's cap) for pictures, 0 for videos",
    )
    analysis.add_argument("--min-face", type=_positive, metavar="PX", help="smallest face that should be found")
    analysis.add_argument("--max-faces", type=_positive, metavar="N", help="the best N faces only")
    analysis.add_argument("--threshold", type=_finite, metavar="X", help="smallest score of a face; default: 0")
    analysis.add_argument("--scan-interval", type=_positive, metavar="N", help="search every Nth frame in full")
    drawing = flags.add_argument_group("drawing")
    drawing.add_argument(
        "--panel",
        choices=[mode.value for mode in PanelMode],
        help="bars for the largest face, for each that has room, or none; default: each, for cameras largest",
    )
    drawing.add_argument(
        "--blur",
        choices=[blur.value for blur in Blur],
        help="make the faces that are found, or everything, unrecognisable in what is drawn; default: none",
    )
    return flags


def _style(values: Mapping[str, object], panel: PanelMode) -> DrawingStyle:
    return DrawingStyle(PanelMode(values.get("panel", panel)), Blur(values.get("blur", Blur.NONE)))


def _connection(
    parser: argparse.ArgumentParser, values: Mapping[str, object], environment: Mapping[str, str]
) -> Connection:
    def text(flag: str, variable: str) -> str | None:
        value = values.get(flag, environment.get(variable))
        return str(value) if value else None

    def path(flag: str) -> Path | None:
        value = values.get(flag)
        return value if isinstance(value, Path) else None

    if values.get("server") == "":
        parser.error("--server: an empty address; without the flag the networks run in this process")
    connection = Connection(
        text("server", "FACED_SERVER"), text("token", "FACED_TOKEN"), path("tls_ca"), path("tls_cert"), path("tls_key")
    )
    if (connection.tls_cert is None) != (connection.tls_key is None):
        parser.error("--tls-cert and --tls-key belong together")
    if connection.server is None and (connection.tls_ca or connection.tls_cert):
        parser.error("--tls-ca, --tls-cert and --tls-key are for a server: give --server HOST:PORT")
    return connection


def _attributes(text: str) -> tuple[str, ...] | None:
    if text == "all":
        return None
    if text == "none":
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"an empty name in {text!r}")
    return tuple(dict.fromkeys(names))


def _upsample(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if text.isascii() and text.isdigit() and int(text) <= 8:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor a number from 0 to 8")


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) < 2**31:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")


def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not finite")
    return value


def _encoding(text: str) -> str:
    if text == "jpeg":
        return "jpeg:95"
    if re.fullmatch(r"raw|png|jpeg:([1-9][0-9]?|100)", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is none of raw, png and jpeg:Q with Q from 1 to 100")
