"""What is peculiar to the command line of `faced-cli video`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faced_cli.argument_kinds import from_0, positive

DEFAULT_HALF_LIFE_S = 0.5


@dataclass(frozen=True, slots=True)
class VideoFiles:
    """What is read and written; "-" is standard output. `every` Nth frame is analysed.

    `output` is a file for one source, else a folder. `on_ray`: `parquet` is a folder, and the only output; a worker
    gets `ray_gpus` GPUs.
    """

    sources: tuple[Path, ...]
    output: Path | None = None
    jsonl: Path | None = None
    csv: Path | None = None
    parquet: Path | None = None
    summary: Path | None = None
    every: int = 1
    force: bool = False
    resume: bool = False
    on_ray: bool = False
    ray_gpus: float = 0.0


def add_video_flags(parser: argparse.ArgumentParser) -> None:
    """All that `video` has beyond the common flags."""
    parser.add_argument("sources", nargs="+", type=Path, metavar="IN", help="video file, or a folder of them")
    outputs = parser.add_argument_group("outputs (one at least)")
    outputs.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT.mp4",
        help="the video with faces drawn, sound kept; a folder where there are several videos",
    )
    outputs.add_argument(
        "--jsonl", type=Path, metavar="FILE", help="one JSON object for each frame (- = standard output)"
    )
    outputs.add_argument("--csv", type=Path, metavar="FILE", help="one line for each face (- = standard output)")
    outputs.add_argument("--parquet", type=Path, metavar="FILE", help="the same as a Parquet file; needs pyarrow")
    outputs.add_argument("--summary", type=Path, metavar="FILE.html", help="a page with a time line for each track")
    existing = outputs.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="write over files that exist")
    existing.add_argument("--resume", action="store_true", help="go on where a run with the same outputs was cut off")
    many = parser.add_argument_group("many videos")
    many.add_argument(
        "--engine",
        choices=["local", "ray"],
        default="local",
        help="ray: with Ray Data, here or on the cluster that RAY_ADDRESS names; --parquet names a folder then",
    )
    many.add_argument(
        "--ray-gpus", type=from_0, default=0.0, metavar="X", help="GPUs of each worker; a part of 1 shares one"
    )
    analysis = parser.add_argument_group("frames and tracks")
    analysis.add_argument(
        "--every", type=positive, default=1, metavar="N", help="analyse every Nth frame; its boxes stay until the next"
    )
    analysis.add_argument(
        "--half-life",
        type=from_0,
        default=DEFAULT_HALF_LIFE_S,
        metavar="S",
        help=f"smooth the values of a face over time; 0 = not; default: {DEFAULT_HALF_LIFE_S:g} s",
    )
    analysis.add_argument("--no-track", action="store_true", help="frames on their own: no track_id, no smoothing")


def video_files(parser: argparse.ArgumentParser, values: Mapping[str, object]) -> VideoFiles:
    """The files of a command line.

    Raises:
        SystemExit: nothing would be written, or nothing that can be resumed.
    """
    fields = ("sources", "output", "jsonl", "csv", "parquet", "summary", "every", "force", "resume")
    on_ray = values["engine"] == "ray"
    files = VideoFiles(
        **{name: values[name] for name in fields},  # type: ignore[arg-type]
        on_ray=on_ray,
        ray_gpus=values["ray_gpus"],  # type: ignore[arg-type]
    )
    if on_ray and (files.parquet is None or any((files.output, files.jsonl, files.csv, files.summary))):
        parser.error("video: with --engine ray, --parquet FOLDER is the output, and the only one")
    if files.ray_gpus and not on_ray:
        parser.error("video: --ray-gpus is for --engine ray")
    outputs = (files.output, files.jsonl, files.csv, files.parquet, files.summary)
    if not any(outputs):
        parser.error("video: nothing would be written; give -o OUT.mp4, --jsonl FILE or another output")
    return files
