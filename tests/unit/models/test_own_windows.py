"""A detector with windows and labels of its own, in place of MMOD's."""

import numpy as np
import pytest

from faced_models.bundle import load_models
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.scale import ScanPlan, plan_scan
from tests.networks import detector_entry, lights

PLAN = ScanPlan(0, 1.0, 0, 1.0, 40.0)


def _described(folder, texts, windows):
    path = folder / "mine.toml"
    path.write_text(detector_entry(lights(folder / "bright.onnx", windows), texts))
    return path


def test_each_window_finds_its_own_shape_under_its_own_label(tmp_path):
    models = load_models(
        models_file=_described(tmp_path, ["40x30 lamp", "24x40 hole"], 2), attributes=[], cpu_threads=1
    )
    picture = np.full((120, 240, 3), 128, np.uint8)
    picture[30:90, 20:80] = 255
    picture[30:90, 160:220] = 0
    found = models.detector.detect([picture], PLAN, [0.0])[0]
    labels = {one.label for one in found}
    assert labels == {"lamp", "hole"}
    for one in found:
        ratio = one.box.width / one.box.height
        assert ratio == pytest.approx(40 / 30 if one.label == "lamp" else 24 / 40, abs=0.1)
        assert ((one.box.left + one.box.right) / 2 < 120) == (one.label == "lamp")


def test_as_many_windows_as_the_network_has_outputs(tmp_path):
    with pytest.raises(WeightsError, match=r"it gave \[1, 1, 29, 37\], expected \[1, 2, 29, 37\]"):
        load_models(models_file=_described(tmp_path, ["40x40", "40x20"], 1), attributes=[], cpu_threads=1)


@pytest.mark.parametrize("text", ["40", "40x", "0x40", "40x4000", "fortyxforty"])
def test_a_window_that_is_none_is_named(tmp_path, text):
    with pytest.raises(WeightsError, match=f"windows is '{text}', expected WIDTHxHEIGHT"):
        load_manifest(models_file=_described(tmp_path, [text], 1))


def test_half_the_window_finds_half_the_size():
    wishes = {"upsample_times": None, "min_face_px": None, "auto_upsample": 0}
    caps = {"max_upscaled_pixels": 2_000_000, "max_detect_pixels": 8_300_000}
    assert plan_scan(640, 480, **wishes, **caps, window_px=40).min_detectable_px == 40


def test_the_packages_own_id_is_what_it_was():
    assert load_manifest().detector.model_id == "mmod@1+4a147033"
