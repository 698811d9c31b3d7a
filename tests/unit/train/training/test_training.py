from dataclasses import replace

import numpy as np
import pytest

from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth
from faced_train.training.examples import make_examples
from faced_train.training.recipe import parse_recipe

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

RECIPE = """
name = "tiny"
subject = "emotion"
held_out = 0.25
[network]
kind = "face-net"
side = 16
channels = 1
widths = [8, 8, 16]
blocks = [1, 1, 1]
dropout = 0.2
[target]
kind = "emotion"
classes = ["happy", "sad"]
[augment]
turn = 10.0
shift = 0.05
noise = 4.0
erase = 0.2
mixup = 0.3
mixed = 0.5
[schedule]
epochs = 4
batch = 16
rate = 0.05
weight_decay = 1e-4
average = 0.9
sides = [[0, 8], [2, 16]]
seed = 3
"""

LONGER = RECIPE.replace("epochs = 4", "epochs = 12")


class Source:
    """Happy faces are bright at the bottom, sad ones at the top."""

    def pictures(self, places):
        for place in places:
            picture = np.random.default_rng(place).integers(60, 120, (16, 16, 1), np.uint8)
            half = slice(8, 16) if place % 2 == 0 else slice(0, 8)
            picture[half] += 100
            yield np.repeat(picture, 3, axis=2)


def tiny_faces(n=128):
    truths = tuple(Truth(f"{i}", f"{i}", emotion="happy" if i % 2 == 0 else "sad") for i in range(n))
    return FaceSet("tiny", "made", truths, tuple(range(n)), Source())


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def started(folder, recipe=RECIPE, **more):
    from faced_train.training.training import Training

    read = parse_recipe(recipe, "tiny")
    return Training(read, make_examples(tiny_faces(), None, read, 16, lambda _done: None), None, folder, **more)


def trained(folder, recipe=RECIPE, until=None):
    from faced_train.training.training import Listener

    return started(folder, recipe).run(Listener(), until)


def test_a_run_that_was_cut_off_ends_with_the_same_weights(tmp_path):
    whole = trained(tmp_path / "whole")
    for until in (1, 3, None):
        parts = trained(tmp_path / "parts", until=until)
    assert parts.epochs == whole.epochs == 4
    for name, value in whole.weights.items():
        assert torch.equal(value, parts.weights[name]), name
    for name, value in whole.average.items():
        assert torch.equal(value, parts.average[name]), name
    assert [replace(one, seconds=0) for one in parts.figures] == [replace(one, seconds=0) for one in whole.figures]


def test_a_run_that_is_killed_in_mid_epoch_goes_on_from_the_last_whole_one(tmp_path):
    from faced_train.training.training import Listener

    class KilledError(Exception):
        pass

    def kill(done, batches):
        if len(seen) == 1 and done == batches // 2:
            raise KilledError

    seen = []
    whole = trained(tmp_path / "whole")
    with pytest.raises(KilledError):
        started(tmp_path / "cut").run(Listener(kill, seen.append))
    assert len(started(tmp_path / "cut").figures) == 1
    rest = trained(tmp_path / "cut")
    assert all(torch.equal(value, rest.best[name]) for name, value in whole.best.items())


def test_it_learns(tmp_path):
    made = trained(tmp_path, LONGER)
    assert made.figures[-1].accuracy == 1.0
    assert made.figures[-1].loss < 0.7 * made.figures[0].loss


def test_the_outcome_is_told_of_the_rows_held_out(tmp_path):
    from faced_train.training.outcome import outcome
    from faced_train.training.training import Listener

    training = started(tmp_path, LONGER)
    training.run(Listener())
    recipe = parse_recipe(LONGER, "tiny")
    examples = make_examples(tiny_faces(), None, recipe, 16, lambda _done: None)
    probabilities = training.probabilities(torch.from_numpy(examples.watched)).double().numpy()
    found = outcome(probabilities, examples.targets[examples.watched].astype(float), recipe.target)
    assert found["n"] == len(examples.watched) == np.sum(found["confusion"])
    assert found["accuracy"] == found["clear"] == 1.0


def test_another_recipe_does_not_go_on_in_the_same_folder(tmp_path):
    trained(tmp_path, until=1)
    with pytest.raises(DataError, match="holds a run of another recipe or of other data"):
        started(tmp_path, RECIPE.replace("rate = 0.05", "rate = 0.04"))


def test_a_checkpoint_that_is_none_is_told(tmp_path):
    trained(tmp_path, until=1)
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 no checkpoint")
    with pytest.raises(DataError, match=r"checkpoint\.pt: is no checkpoint"):
        started(tmp_path)


def test_a_run_begins_with_the_weights_of_another_as_far_as_they_fit(tmp_path):
    first = trained(tmp_path / "first").best
    three = RECIPE.replace('["happy", "sad"]', '["happy", "sad", "fear"]')
    checkpoint = started(tmp_path / "second", three, start=first)._checkpoint(())
    assert torch.equal(checkpoint.weights["stem.1.0.weight"], first["stem.1.0.weight"])
    assert checkpoint.weights["head.1.weight"].shape == (3, 16)
    with pytest.raises(DataError, match="none of the weights to start with fit"):
        started(tmp_path / "third", start={"other": torch.zeros(3)})


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    with pytest.raises(DataError, match=r"the loss is (nan|inf) in epoch \d: the rate 1000000000.0 is too high"):
        trained(tmp_path, RECIPE.replace("rate = 0.05", "rate = 1e9"))


@pytest.mark.parametrize(
    ("name", "side", "parameters"),
    [("emotion", 48, 0.69e6), ("emotion-resnet", 112, 5.6e6), ("emotion-vgg", 48, 0.59e6), ("age", 227, 9e6)],
)
def test_networks_have_the_size_that_they_are_known_for(name, side, parameters):
    from faced_train.training.networks import build_network
    from faced_train.training.recipe import RECIPES, read_recipe

    recipe = read_recipe(RECIPES / f"{name}.toml")
    network = build_network(recipe).eval()
    with torch.no_grad():
        logits = network(torch.zeros(2, recipe.network.channels, side, side))
    assert logits.shape == (2, len(recipe.target.classes))
    assert sum(one.numel() for one in network.parameters()) == pytest.approx(parameters, rel=0.15)


def test_a_network_that_there_is_not_is_told():
    from faced_train.training.networks import build_network

    with pytest.raises(DataError, match="there is no network 'vgg'; there are face-net"):
        build_network(parse_recipe(RECIPE.replace("face-net", "vgg"), "tiny"))
