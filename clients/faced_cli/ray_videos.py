"""`faced-cli video --engine ray`: thousands of videos with Ray Data, each whole on one worker, into one data set."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import ray
import ray.data

import faced_client
from faced_cli.arguments import Connection, VideoArguments
from faced_cli.connection import reach
from faced_cli.errors import ServerError, UsageError
from faced_cli.flat_rows import Column, columns_for
from faced_cli.parquet_set import ParquetSet
from faced_cli.refusal import command_error
from faced_cli.terminal import print_text, tell, visible
from faced_cli.video_inputs import find_videos
from faced_cli.video_part import PartDone, make_part
from faced_proto.types import ServerInfo

_NOT_PASSED = frozenset({"FACED_TOKEN", "FACED_CAMERA"})
"""Variables that hold secrets, which Ray would show; workers get the token with their arguments."""
_FILES = frozenset(
    f"FACED_{name}" for name in ("MODELS_FILE", "CACHE_DIR", "TOKEN_FILE", "TLS_CERT", "TLS_KEY", "TLS_CLIENT_CA")
)
"""Variables that name a file or a folder."""


def run_on_ray(arguments: VideoArguments) -> int:
    """Analyses the videos that are not in the data set yet. Returns the exit code.

    Raises:
        CommandError: the data set, the server or Ray fail, or this machine lacks GPUs.
    """
    arguments = replace(arguments, connection=_anywhere(arguments.connection))
    files = arguments.files
    videos = find_videos(files.sources)
    assert files.parquet is not None
    info = _server_info(arguments, videos[0])
    into = ParquetSet(files.parquet, _header(arguments, info), resume=files.resume, force=files.force)
    missing = into.missing(videos)
    already = len(videos) - len(missing)
    if not missing:
        tell(f"{files.parquet}: all {len(videos)} videos are in it already")
        return 0
    begun, exit_code, done = time.monotonic(), 0, [0, 0, 0]
    with _ray():
        for part in _parts(arguments, missing, into, columns_for(info, arguments.wishes.attributes)):
            exit_code = exit_code or part.exit_code
            _tell(part)
            done = [done[0] + (not part.failure), done[1] + part.frames, done[2] + part.faces]
    seconds = time.monotonic() - begun
    before = f", {already} were there" if already else ""
    print_text(
        f"{done[0]} of {len(missing)} videos{before}, {done[1]} frames, {done[2]} faces, {seconds:.1f} s, "
        f"{done[1] / seconds:.1f} frames/s -> {visible(str(files.parquet))}\n"
    )
    return exit_code


class _Worker:
    """Has a server of its own, or a client of the one that was named, for all videos that it gets."""

    def __init__(self, arguments: VideoArguments, into: ParquetSet, of: Sequence[Column]) -> None:
        if arguments.connection.server is None:
            # Workers share the cores by their number.
            os.environ["FACED_CPU_THREADS"] = "1"
        self._stack = ExitStack()
        reached = self._stack.enter_context(reach(arguments.connection))
        self._client, self._arguments, self._into, self._columns = reached.client, arguments, into, of
        self._encode = arguments.encode or ("raw" if reached.embedded else "jpeg:95")

    def __call__(self, row: Mapping[str, str]) -> dict[str, object]:
        """One video."""
        video, file = Path(row["video"]), Path(row["file"])
        return asdict(make_part(self._client, self._arguments, video, file, self._into, self._columns, self._encode))


def _parts(
    arguments: VideoArguments, videos: Sequence[Path], into: ParquetSet, of: Sequence[Column]
) -> Iterator[PartDone]:
    gpus = arguments.files.ray_gpus
    most = _most_workers(gpus)
    named = [{"video": str(video), "file": str(video.absolute())} for video in videos]
    rows = ray.data.from_items(named, override_num_blocks=len(videos))
    made = rows.map(
        _Worker,
        fn_constructor_args=(arguments, into, of),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(most, len(videos))),
        num_cpus=1,
        num_gpus=gpus,
        # Of the workers, not of the whole job: what `ray job submit` was given may name the same variables.
        runtime_env={"env_vars": passed_variables(os.environ)},
    )
    try:
        for row in made.iter_rows():
            yield PartDone(**row | {"notes": tuple(row["notes"])})
    except (ray.exceptions.RayError, RuntimeError) as error:
        raise ServerError(f"Ray: {error}") from error


def passed_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of FACED_* that workers get, with absolute paths."""
    ours = {name: value for name, value in environment.items() if name.startswith("FACED_") and name not in _NOT_PASSED}
    return {name: str(Path(value).absolute()) if name in _FILES and value else value for name, value in ours.items()}


def _anywhere(connection: Connection) -> Connection:
    """The same in any working folder."""
    paths = (connection.tls_ca, connection.tls_cert, connection.tls_key)
    ca, certificate, key = (None if path is None else path.absolute() for path in paths)
    return replace(connection, tls_ca=ca, tls_cert=certificate, tls_key=key)


def _most_workers(gpus: float) -> int:
    """How many workers of `gpus` GPUs each, or of one core, have room at a time.

    A cluster may get more nodes once somebody asks for them.

    Raises:
        UsageError: this machine alone has too few GPUs for one, which Ray would wait for without a word.
    """
    there = ray.cluster_resources()
    if not gpus:
        return max(1, int(there.get("CPU", 1)))
    has = there.get("GPU", 0)
    if has < gpus:
        lacks = f"--ray-gpus {gpus:g}: the Ray cluster has {f'{has:g} of them' if has else 'no GPU'}"
        if not os.environ.get("RAY_ADDRESS"):
            raise UsageError(lacks)
        tell(f"{lacks}; waiting for a node that has")
        return 1
    return int(has / gpus)


@contextmanager
def _ray() -> Iterator[None]:
    """The cluster that RAY_ADDRESS names, or one of this machine's own."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if os.environ.get("RAY_ADDRESS"):
        ray.init(logging_level=logging.ERROR)
        try:
            yield
        finally:
            ray.shutdown()
        return
    from faced_service.on_ray.ray_here import ray_here

    with ray_here(os.cpu_count() or 1, {}):
        yield


def _server_info(arguments: VideoArguments, video: Path) -> ServerInfo:
    with reach(arguments.connection) as reached:
        try:
            return reached.client.server_info()
        except faced_client.FacedError as error:
            raise command_error(error, str(video)) from error


def _header(arguments: VideoArguments, info: ServerInfo) -> dict[str, str]:
    """What must be the same for videos to be in one data set, by what a message would call it."""
    every, encode = arguments.files.every, arguments.encode
    return {
        "options": repr((arguments.wishes, arguments.scan_interval, arguments.half_life, every, encode)),
        "networks": repr([model.model for model in info.models]),
    }


def _tell(part: PartDone) -> None:
    for note in part.notes:
        tell(note)
    if part.failure:
        tell(part.failure)
    if part.report:
        print_text("".join(f"{visible(line)}\n" for line in part.report.splitlines()))
