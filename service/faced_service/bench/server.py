"""Milliseconds of a frame over gRPC, and the peak memory of a whole server after many."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass

import grpc

from faced_proto.v1 import image_pb2, service_pb2
from faced_service.bench import arguments as flags
from faced_service.bench.memory import run_apart
from faced_service.bench.picture import bench_picture
from faced_service.embedded import EmbeddedServer
from faced_service.settings import Settings


@dataclass(frozen=True, slots=True)
class ServerRow:
    """Median milliseconds from call to reply, one call at a time, and the peak resident MB of server and caller."""

    frames: int
    size: str
    faces: int
    ms: float
    peak_mb: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sizes and how many frames of each."""
    flags.add_threads(parser)
    flags.add_sizes(parser)
    parser.add_argument("--frames", type=flags.count, default=200, help="how many (default: 200)")


def run(arguments: argparse.Namespace) -> list[ServerRow]:
    """A row for each size, each in a process of its own."""
    return [measure_server(arguments.frames, width, height, arguments.threads) for width, height in arguments.sizes]


def measure_server(frames: int, width: int, height: int, threads: int) -> ServerRow:
    """Run the server in a fresh process, which sends itself `frames` raw pictures."""
    (line,), peak_mb = run_apart(f"from {__name__} import send\nsend({frames}, {width}, {height}, {threads})")
    faces, ms = line.split()
    return ServerRow(frames, f"{width}x{height}", int(faces), round(float(ms), 2), peak_mb)


def send(frames: int, width: int, height: int, threads: int) -> None:
    """Print how many faces the last frame had, and the median milliseconds."""
    request = service_pb2.AnalyzeRequest()
    request.options.upsample_times = 0
    raw = request.image.raw
    raw.pixel_format, raw.width, raw.height = image_pb2.PIXEL_FORMAT_RGB24, width, height
    raw.planes.add(data=bench_picture(width, height).tobytes())
    times, faces = [], 0
    with EmbeddedServer(Settings(cpu_threads=threads)) as address, grpc.insecure_channel(address) as channel:
        analyze = channel.unary_unary(
            "/faced.v1.FaceAnalysisService/Analyze",
            request_serializer=service_pb2.AnalyzeRequest.SerializeToString,
            response_deserializer=service_pb2.AnalyzeResponse.FromString,
        )
        for _ in range(frames):
            start = time.perf_counter()
            faces = len(analyze(request).analysis.faces)
            times.append(time.perf_counter() - start)
    sys.stdout.write(f"{faces} {statistics.median(times) * 1e3}\n")
