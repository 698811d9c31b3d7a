"""The command line of `faced-cli` as values."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from faced_cli.argument_kinds import attributes, encoding, finite, positive, seconds, upsample
from faced_cli.drawing_style import Blur, DrawingStyle, PanelMode
from faced_cli.terminal import visible
from faced_cli.video_flags import VideoFiles, add_video_flags, video_files
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
    """`faced-cli video`; `encode` as the SDK reads it, None = as suits the server.

    `half_life` is in seconds; 0 = faces are tracked and not smoothed, None = neither.
    """

    connection: Connection
    wishes: Wishes
    style: DrawingStyle
    encode: str | None
    scan_interval: int | None
    half_life: float | None
    files: VideoFiles


@dataclass(frozen=True, slots=True)
class WebcamArguments:
    """`faced-cli webcam`; `duration` is in seconds, a limit of None is none. `camera` may hold a password."""

    connection: Connection
    wishes: Wishes
    style: DrawingStyle
    encode: str | None
    scan_interval: int | None
    camera: str
    display: bool
    record: Path | None
    jsonl: Path | None
    force: bool
    max_frames: int | None
    duration: float | None


@dataclass(frozen=True, slots=True)
class StatusArguments:
    """`faced-cli status`."""

    connection: Connection
    json: bool


Arguments = ImageArguments | VideoArguments | WebcamArguments | StatusArguments


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
    if given.command == "webcam":
        return WebcamArguments(
            connection,
            wishes,
            _style(values, PanelMode.LARGEST),
            values.get("encode"),
            values.get("scan_interval"),
            given.camera or environment.get("FACED_CAMERA") or "0",
            not given.no_display,
            given.record,
            given.jsonl,
            given.force,
            given.max_frames,
            given.duration,
        )
    return VideoArguments(
        connection,
        wishes,
        _style(values, PanelMode.EACH),
        values.get("encode"),
        values.get("scan_interval"),
        None if given.no_track else given.half_life,
        video_files(parser, values),
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
    add_video_flags(video)

    webcam = commands.add_parser("webcam", help="analyse a camera, live", parents=[common], allow_abbrev=False)
    webcam.add_argument(
        "--camera",
        metavar="N|PATH|URL",
        help="number, device, rtsp:// or http:// address, or a video or folder of pictures that plays its part;"
        " default: FACED_CAMERA, else 0",
    )
    webcam.add_argument("--no-display", action="store_true", help="no window: one JSON object for each frame instead")
    webcam.add_argument("--record", type=Path, metavar="OUT.mp4", help="record what is shown")
    webcam.add_argument("--jsonl", type=Path, metavar="FILE", help="JSON objects into a file (- = standard output)")
    webcam.add_argument("--force", action="store_true", help="write over files that exist")
    webcam.add_argument("--max-frames", type=positive, metavar="N", help="end after N frames")
    webcam.add_argument("--duration", type=seconds, metavar="S", help="end after S seconds")

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
        type=encoding,
        metavar="raw|png|jpeg:Q",
        help="how frames of videos travel; default: raw in this process, jpeg:95 to a server; files travel as they are",
    )
    analysis = flags.add_argument_group("analysis")
    analysis.add_argument("--attributes", type=attributes, metavar="A,B,..|all|none", help="default: all")
    analysis.add_argument(
        "--upsample",
        type=upsample,
        metavar="auto|N",
        help="double the picture N times; default: auto (once, if it fits the server's cap) for pictures, 0 for videos",
    )
    analysis.add_argument("--min-face", type=positive, metavar="PX", help="smallest face that should be found")
    analysis.add_argument("--max-faces", type=positive, metavar="N", help="the best N faces only")
    analysis.add_argument("--threshold", type=finite, metavar="X", help="smallest score of a face; default: 0")
    analysis.add_argument(
        "--scan-interval", type=positive, metavar="N", help="search every Nth frame in full; default: 1, for cameras 10"
    )
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
