"""Measure this machine: the detector beside dlib's, the stages of a frame, a whole server."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from faced_models.bundle import load_detector, load_models
from faced_models.errors import DeviceError, WeightsError
from faced_proto.types import Precision, RgbImage
from faced_service.bench.detector import DetectorRow, compare
from faced_service.bench.picture import bench_picture, read_picture
from faced_service.bench.pipeline import PipelineRow, measure
from faced_service.bench.server import ServerRow, measure_server
from faced_service.exit_codes import BAD_INPUT, MODELS_MISSING, USAGE

Row = DetectorRow | PipelineRow | ServerRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define `detector` and `pipeline` with their options."""
    benches = parser.add_subparsers(dest="bench", required=True, metavar="BENCH")
    for name, text in (
        ("detector", "milliseconds and boxes beside dlib's own detector, alternating in one process"),
        ("pipeline", "milliseconds of each stage for 1, 4 and 16 faces"),
        ("serve", "milliseconds over gRPC and the server's peak memory after 200 frames"),
    ):
        bench = benches.add_parser(name, help=text, description=text)
        bench.add_argument("--json", action="store_true", help="JSON on standard output")
        bench.add_argument("--threads", type=_count, default=os.cpu_count() or 1, help="CPU threads (default: all)")
        if name != "pipeline":
            bench.add_argument("--sizes", type=_sizes, default=[(640, 480)], help="WxH,... (default: 640x480)")
        if name != "serve":
            bench.add_argument("--rounds", type=_count, default=5, help="how often all is run (default: 5)")
            bench.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N (default: auto)")
        else:
            bench.add_argument("--frames", type=_count, default=200, help="how many (default: 200)")
        if name == "detector":
            bench.add_argument("--image", type=Path, help="measure on this picture instead")
            bench.add_argument("--upsample", type=int, default=0, help="doublings before detection (default: 0)")
            bench.add_argument("--precision", type=Precision, default=Precision.EXACT, help="exact or fast")
            bench.add_argument("--backend", default="auto", help="auto, ort, openvino (default: auto)")


def run(args: argparse.Namespace) -> int:
    """Measure and print; 3 for a picture that cannot be measured, 2 for a device that cannot, 5 without weights."""
    try:
        rows = _BENCHES[args.bench](args)
    except (ValueError, RuntimeError, DeviceError, WeightsError) as error:
        sys.stderr.write(f"faced bench: {error}\n")
        return {DeviceError: USAGE, WeightsError: MODELS_MISSING}.get(type(error), BAD_INPUT)
    if args.json:
        sys.stdout.write(json.dumps({"rows": [asdict(row) for row in rows]}) + "\n")
    else:
        _print_table(rows)
    return 0


def _detector(args: argparse.Namespace) -> list[Row]:
    ours = load_detector(backend=args.backend, device=args.device, precision=args.precision, cpu_threads=args.threads)
    reference = load_detector(backend="dlib")
    pictures: list[RgbImage]
    pictures = [read_picture(args.image)] if args.image else [bench_picture(*size) for size in args.sizes]
    return [
        compare(picture, args.upsample, ours=ours, reference=reference, rounds=args.rounds, threads=args.threads)
        for picture in pictures
    ]


def _pipeline(args: argparse.Namespace) -> list[Row]:
    models = load_models(device=args.device, cpu_threads=args.threads)
    return [measure(models, faces, max(args.rounds, 10)) for faces in (1, 4, 16)]


def _serve(args: argparse.Namespace) -> list[Row]:
    return [measure_server(args.frames, width, height, args.threads) for width, height in args.sizes]


_BENCHES = {"detector": _detector, "pipeline": _pipeline, "serve": _serve}


def _print_table(rows: Sequence[Row]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    records = [_flat(row) for row in rows]
    for column in records[0]:
        table.add_column(column.replace("_", " "), justify="right")
    for record in records:
        table.add_row(*map(str, record.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _flat(row: Row) -> dict[str, object]:
    record = asdict(row)
    attributes: dict[str, object] = record.pop("attributes", {})
    total = record.pop("total", None)
    return record | attributes | ({} if total is None else {"total": total})


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _sizes(text: str) -> list[tuple[int, int]]:
    sizes = []
    for part in text.split(","):
        width, _, height = part.partition("x")
        if not (width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 1):
            raise argparse.ArgumentTypeError(f"{part!r} is not a size: expected WIDTHxHEIGHT, such as 640x480")
        sizes.append((int(width), int(height)))
    return sizes
