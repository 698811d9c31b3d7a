"""`faced train detector --network full`: MMOD's own weights, learnt a little further, served in its place."""

import cv2
import pytest

from faced_client import Client
from faced_service.embedded import EmbeddedServer
from faced_service.main import main
from faced_service.settings import Settings
from faced_train.datasets.imglab import BoxedPicture, LabelledBox, write_boxes

pytest.importorskip("torch")
pytestmark = pytest.mark.slow


def test_two_steps_of_the_full_network_are_served_and_find_the_face_still(tmp_path, astronaut, capsys):
    cv2.imwrite(str(tmp_path / "one.png"), astronaut[:, :, ::-1])
    with EmbeddedServer() as target, Client(target) as client:
        (before,) = client.analyze(astronaut, upsample_times=0, attributes=()).faces
    box = before.detection.box
    place = LabelledBox(round(box.left), round(box.top), round(box.width), round(box.height))
    write_boxes(tmp_path / "training.xml", "test", [BoxedPicture("one.png", (place,))])
    words = ["--network", "full", "--name", "further", "--folder", str(tmp_path / "run")]
    small = ["--batch", "2", "--crop", "120", "--steps", "2", "--threads", "1"]
    assert main(["train", "detector", str(tmp_path / "training.xml"), *words, *small]) == 0
    said = capsys.readouterr().err
    assert "windows 80 x 80 px, suppression from 0.338 (covered 1.000); batches of 2, patience 3000" in said
    models_file = tmp_path / "run" / "models.toml"
    assert main(["models", "check", str(models_file)]) == 0
    with EmbeddedServer(Settings(models_file=str(models_file))) as target, Client(target) as client:
        assert client.server_info().models[0].model.startswith("further@1+")
        (after,) = client.analyze(astronaut, upsample_times=0, attributes=()).faces
    assert after.detection.box == before.detection.box
    assert after.detection.score == pytest.approx(before.detection.score, abs=0.05)
    assert after.detection.score != before.detection.score
