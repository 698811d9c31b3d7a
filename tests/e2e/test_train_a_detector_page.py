"""docs/train-a-detector.md does what it says, from labelled pictures to a served detector, in two steps."""

import os
import re
import shlex
import subprocess

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

from faced_client import Client  # noqa: E402
from tests.conftest import ROOT  # noqa: E402
from tests.e2e.conftest import BIN, serve  # noqa: E402

PAGE = (ROOT / "docs" / "train-a-detector.md").read_text()
(XML,) = re.findall(r"```xml\n(.*?)```", PAGE, re.DOTALL)
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
SMALL = "--batch 2 --crop 80 --steps 2 --threads 1"


@pytest.fixture
def folder(tmp_path):
    """The page's XML for both lists, and its picture: something bright where the box is."""
    image = np.random.default_rng(0).integers(60, 120, (200, 300, 3), np.uint8)
    cv2.circle(image, (156, 100), 60, (240, 240, 240), -1)
    cv2.imwrite(str(tmp_path / "cat.jpg"), image)
    for name in ("training.xml", "testing.xml"):
        (tmp_path / name).write_text(XML)
    return tmp_path


def run(folder, line):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACED_")}
    environment |= {"PATH": f"{BIN}{os.pathsep}{environment['PATH']}", "FACED_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def test_every_command_of_the_page_works_in_its_order(folder, monkeypatch):
    train, check, before, after, server, client = LINES
    run(folder, f"{train} {SMALL}")
    assert {"cats.onnx", "curve.png", "detector.pt", "models.toml"} <= {one.name for one in (folder / "cats").iterdir()}
    assert "cats" in run(folder, check)
    assert "mmod" in run(folder, before)
    judged = run(folder, after)
    assert "cats" in judged
    assert "average precision" in judged
    monkeypatch.chdir(folder)
    program, verb, *flags = shlex.split(server)
    assert (program, verb) == ("faced", "serve")
    with serve(*flags, "--log-level", "error") as running:
        run(folder, client.replace("localhost:50051", running.address))
        with Client(running.address) as calls:
            picture = cv2.imread("cat.jpg")[:, :, ::-1]
            reply = calls.analyze(np.ascontiguousarray(picture), attributes=(), threshold=-1.0, max_faces=5)
            detector = calls.server_info().models[0]
    assert detector.model.startswith("cats@")
    # After two steps it knows nothing yet: it finds cats anywhere.
    assert reply.faces
    assert {face.detection.label for face in reply.faces} == {"cat"}
