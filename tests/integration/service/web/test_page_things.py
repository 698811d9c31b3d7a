"""The page in front of a server with a second detector: things are told by their labels, and only faces are faces."""

import re

import cv2
import numpy as np
import pytest

from faced_service.networks import load_networks
from faced_service.settings import Settings
from tests.networks import detector_entry, lights


@pytest.fixture(scope="module")
def page_of_two(web_serving, tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    path = folder / "mine.toml"
    path.write_text(detector_entry(lights(folder / "bright.onnx", 1, than=0.48), ["40x40 lamp"], more="beside = true"))
    networks = load_networks(Settings(models_file=str(path), allowed_attributes=("emotion",)))
    with web_serving(networks=networks, allowed_attributes=("emotion",)) as (url, _):
        yield url


def test_a_lamp_is_no_face(page_of_two, opened, astronaut, tmp_path):
    scene = np.minimum(astronaut, 200)
    scene[420:500, 10:90] = 255
    picture = tmp_path / "scene.png"
    cv2.imwrite(str(picture), scene[:, :, ::-1])
    with opened(page_of_two, camera=False) as tab:
        tab.set_input_files("input[type=file]", str(picture))
        tab.locator("#picture-state", has_text="pixels").wait_for()
        told = re.match(r"One face, (\d+) . lamp in 512 . 512 pixels", tab.text_content("#picture-state"))
        heads = tab.locator("#picture-faces h3").all_text_contents()
        assert [head.split()[0] for head in heads].count("Lamp") == int(told[1]) == len(heads) - 1
        said = tab.get_attribute("#picture-canvas", "aria-label")
        assert re.match(rf"One face, {told[1]} . lamp\. ", said)
        assert len(re.findall(r"\. Face \d+: happy ", said)) == 1
        assert len(re.findall(r"\. Lamp \d+(?=\.|$)", said)) == int(told[1])
