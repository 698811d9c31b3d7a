"""Detectors of one's own in place of MMOD's."""

import hashlib
import re

import numpy as np
import pytest
from onnx import helper

from faced_models.bundle import load_detector, load_models
from faced_models.check import check_file
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.scale import ScanPlan
from faced_models.store import WEIGHTS
from tests.networks import brightness, save

MEANS = [122.78199768066406, 117.0009994506836, 104.2979965209961]
FINE = ScanPlan(0, 1.0, 0, 1.0, 80.0)


def described(file, sha256, size=80):
    """An entry with MMOD's own preprocessing."""
    return f"""
[network.mine]
role = "detector"
file = "{file}"
sha256 = "{sha256}"
input = {{ size = {size}, colour = "rgb", mean = {MEANS}, scale = 0.00390625 }}
detector = {{ iou = 0.3382761351109955, percent_covered = 1.0, pyramid_padding = 10, pyramid_outer_padding = 11 }}
"""


def test_another_copy_of_mmod_finds_the_same_faces(tmp_path, astronaut, capsys):
    data = (WEIGHTS / "mmod.onnx").read_bytes()
    (tmp_path / "copy.onnx").write_bytes(data)
    path = tmp_path / "mine.toml"
    path.write_text(described("copy.onnx", hashlib.sha256(data).hexdigest()))
    assert check_file(path) == 0
    assert re.fullmatch(r"ok      mine@1\+\w{8}: the detector that is used\n", capsys.readouterr().out)
    models = load_models(models_file=path, attributes=[], cpu_threads=1)
    assert models.detector.info.model.startswith("mine@1+")
    found = models.detector.detect([astronaut], FINE, [0.0])
    assert len(found[0]) == 1
    assert found == load_detector(cpu_threads=1).detect([astronaut], FINE, [0.0])


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        (("n", 3, 32, 32), 80, "its input is 'x' float [n, 3, 32, 32]: height and width must be open"),
        (("n", 3, "h", "w"), 80, "for a picture of 320x256 it gave [1, 2], expected [1, 1, 29, 37]"),
        (("n", 1, "h", "w"), 80, "its inputs are 'x' float [n, 1, h, w], expected one, float [pictures, 3, height, w"),
    ],
)
def test_what_is_no_such_detector_is_named_with_its_shapes(tmp_path, shape, size, message):
    path = tmp_path / "mine.toml"
    path.write_text(described("net.onnx", brightness(tmp_path / "net.onnx", shape=shape), size))
    with pytest.raises(WeightsError, match=re.escape(message)) as raised:
        load_models(models_file=path, attributes=[], cpu_threads=1)
    assert str(raised.value).startswith(f"{path}: network 'mine': net.onnx does not fit: ")
    assert check_file(path) == 3


def test_a_network_that_cannot_run_is_named(tmp_path):
    nodes = [helper.make_node("Reshape", ["x", "flat"], ["y"])]
    sha256 = save(tmp_path / "net.onnx", nodes, {"flat": np.array([7, -1])}, shape=("n", 3, "h", "w"), out=("k", "m"))
    (tmp_path / "mine.toml").write_text(described("net.onnx", sha256))
    with pytest.raises(WeightsError, match=r"net failed on input \(1, 3, 256, 320\)"):
        load_detector(load_manifest(models_file=tmp_path / "mine.toml").detector, cpu_threads=1)
