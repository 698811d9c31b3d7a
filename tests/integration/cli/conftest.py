"""Real pictures, a real video and a real server for the commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from faced_cli.main import main
from faced_service.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with EmbeddedServer() as address:
        yield address


@pytest.fixture
def cli(capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Runs `faced-cli` here; gives exit code, standard output and standard error."""
    for name in ("FACED_SERVER", "FACED_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run(*argv: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in argv])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return code, output.out, output.err

    return run


@pytest.fixture(scope="session")
def head(astronaut) -> np.ndarray:
    return np.ascontiguousarray(astronaut[:256, 96:352])


@pytest.fixture
def portrait(head, tmp_path) -> Path:
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), head[:, :, ::-1])
    return path


@pytest.fixture(scope="session")
def clip(head, tmp_path_factory) -> Path:
    """24 frames of 256x256 px with one face that moves right by 2 px a frame, and an AAC tone."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        sound = container.add_stream("aac", rate=44100, layout="mono")
        for i in range(24):
            frame = av.VideoFrame.from_ndarray(np.roll(head, 2 * i, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        tone = (20000 * np.sin(2 * np.pi * 440 * np.arange(42336) / 44100)).astype(np.int16)
        for start in range(0, len(tone) - 1023, 1024):
            block = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            block.rate, block.pts, block.time_base = 44100, start, Fraction(1, 44100)
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path
