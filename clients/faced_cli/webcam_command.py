"""`faced-cli webcam`: what a camera sees, analysed live, in a window or as rows of JSON."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import faced_client
from faced_cli.arguments import WebcamArguments
from faced_cli.cameras import open_camera
from faced_cli.connection import reach
from faced_cli.drawing_style import Blur
from faced_cli.live_analysis import LiveAnalysis
from faced_cli.live_outputs import LiveOutputs
from faced_cli.live_show import Limits, LiveShow
from faced_cli.live_strip import starting
from faced_cli.refusal import command_error
from faced_cli.video_outputs import check_outputs
from faced_cli.webcam_window import DisplayProbe, Window
from faced_proto.types import StreamConfig, StreamMode

_SCAN_INTERVAL = 10
"""Full searches are a few a second then; in between faces are followed, which is several times faster."""
_HALF_LIFE_S = 0.5


def run_webcam(arguments: WebcamArguments) -> int:
    """Shows, prints and records until the camera, its user or a limit ends it. Returns the exit code.

    Raises:
        CommandError: there is no camera, display or server, one of them fails, or a file cannot be written.
    """
    rows = arguments.jsonl or (None if arguments.display else Path("-"))
    check_outputs(Path(arguments.camera), arguments.record, rows, force=arguments.force)
    with ExitStack() as stack:
        probe = None
        if arguments.display:
            probe = DisplayProbe()
            stack.callback(probe.close)
        source = open_camera(arguments.camera)
        stack.callback(source.close)
        window = None
        if probe is not None:
            probe.check()
            window = stack.enter_context(Window(f"faced: {source.name}"))
            window.show(starting("starting \N{HORIZONTAL ELLIPSIS}"))
        reached = stack.enter_context(reach(arguments.connection))
        encode = arguments.encode or ("raw" if reached.embedded else "jpeg:95")
        analysis = stack.enter_context(LiveAnalysis(reached.client, source, _config(arguments), encode))
        outputs = LiveOutputs(rows, arguments.record, source.rate)
        show = LiveShow(source, analysis, outputs, window, arguments.style)
        stack.callback(show.tell)  # also of a run that was broken off, when its files are whole
        stack.enter_context(outputs)
        source.start()
        try:
            show.run(Limits(arguments.max_frames, arguments.duration))
        except faced_client.FacedError as error:
            raise command_error(error, source.name) from error
    outputs.check()
    return 0


def _config(arguments: WebcamArguments) -> StreamConfig:
    # A face that comes in is found, and so blurred, with the next full search.
    hides_faces = arguments.style.blur is Blur.FACES
    return StreamConfig(
        mode=StreamMode.LIVE,
        options=arguments.wishes.options(auto_upsample=1),
        scan_interval=arguments.scan_interval or (1 if hides_faces else _SCAN_INTERVAL),
        track=True,
        smoothing_half_life=_HALF_LIFE_S,
    )
