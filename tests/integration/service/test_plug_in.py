"""A network that the test makes itself, served through every door: SDK, streams, command line, drawings."""

import json

import cv2
import numpy as np
import pytest

from faced_cli.main import main
from faced_cli.overlay import annotate
from faced_cli.palette import YELLOW
from faced_cli.panel import Bar, Heading, panel_lines
from faced_client import Client, InvalidRequest
from faced_models.bundle import load_models
from faced_proto.types import AnalysisOptions, Categories, IntegerBins, StreamConfig, StreamMode
from faced_service.embedded import EmbeddedServer
from faced_service.main import main as faced
from faced_service.settings import Settings
from tests.networks import brightness, entry


@pytest.fixture(scope="module")
def head(astronaut):
    return np.ascontiguousarray(astronaut[:256, 96:352])


@pytest.fixture(scope="module")
def models_file(tmp_path_factory):
    """ "light" beside the package's networks, and "level", over the numbers 0 to 4."""
    folder = tmp_path_factory.mktemp("networks")
    two = brightness(folder / "two.onnx")
    five = brightness(folder / "five.onnx", weights=(-4, -2, 0, 2, 4), out=("n", 5), softmax=False)
    path = folder / "mine.toml"
    level = {"attribute": "level", "name": "five", "where": 'file = "five.onnx"', "activation": "softmax"}
    path.write_text(
        entry(two, where='file = "two.onnx"')
        + entry(five, **level, axis="first = 0, width = 1, last_open = false, count = 5")
    )
    return path


@pytest.fixture(scope="module")
def client(models_file):
    settings = Settings(models_file=str(models_file), allowed_attributes=("light", "level", "emotion"))
    with EmbeddedServer(settings) as target, Client(target) as client:
        yield client


@pytest.fixture(scope="module")
def expected(models_file, head):
    """What the network's own formula gives for the crop that the service cuts."""
    models = load_models(models_file=models_file, attributes=["light"], cpu_threads=1)
    with EmbeddedServer() as target, Client(target) as client:
        boxes = [face.detection.box for face in client.analyze(head, upsample_times=0).faces]
    recipe = models.classifiers["light"].recipe
    (crop,) = models.aligner.crops(head, boxes, models.aligner.landmarks(head, boxes), recipe)
    mean = ((crop.astype(np.float64) - 127.5) / 127.5).mean()
    return 1 / (1 + np.exp(-8 * mean))


def test_the_sdk_gives_its_distribution_beside_the_others(client, head, expected):
    (face,) = client.analyze(head, upsample_times=0).faces
    light = face["light"]
    assert light.axis == Categories(("dark", "bright"))
    assert light.as_dict()["bright"] == pytest.approx(expected, abs=1e-5)
    assert light.model.startswith("brightness@1+")
    assert not light.calibrated
    assert face["level"].axis == IntegerBins(0, 1, False, 5)
    assert 0 < face["level"].expectation() < 4
    assert face["emotion"].top[0] == "happy"


def test_the_server_lists_it(client):
    info = client.server_info()
    assert info.attributes == ("emotion", "light", "level")
    (light,) = (model for model in info.models if model.attribute == "light")
    assert (light.licence, light.input_size, light.axis) == ("CC0-1.0", 32, Categories(("dark", "bright")))


def test_streams_carry_its_axis_once(client, head, expected):
    config = StreamConfig(StreamMode.EVERY_FRAME, AnalysisOptions(attributes=("light",)))
    (outcome,) = client.stream([head], config)
    (face,) = outcome.result.faces
    assert face["light"].as_dict()["bright"] == pytest.approx(expected, abs=1e-5)


def test_an_unknown_attribute_names_it_among_the_known(client, head):
    with pytest.raises(InvalidRequest, match=r"no attribute 'mood'; there are .*light, level"):
        client.analyze(head, attributes=["mood"])


def test_it_is_drawn_like_any_other(client, head):
    analysis = client.analyze(head, attributes=["light", "level"])
    (face,) = analysis.faces
    heading, dark, bright, level = panel_lines(face, most_bars=9)
    assert (heading, dark.label, bright.label) == (Heading("Light", ""), "dark", "bright")
    assert isinstance(bright, Bar)
    assert level.name == "Level"
    drawn = annotate(head, analysis)
    assert (drawn == np.array(YELLOW, np.uint8)).all(axis=2).sum() > 20


@pytest.fixture
def cli(models_file, head, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("FACED_SERVER", raising=False)
    monkeypatch.setenv("FACED_MODELS_FILE", str(models_file))
    picture = tmp_path / "head.png"
    cv2.imwrite(str(picture), head[:, :, ::-1])

    def run(*words):
        code = main(["image", str(picture), "--upsample", "0", "--attributes", "light,level", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_line_prints_it_as_json(cli, expected):
    code, out, _ = cli("--json")
    (face,) = json.loads(out)["faces"]
    assert code == 0
    assert face["attributes"]["light"]["label"] == ("bright" if expected > 0.5 else "dark")
    assert face["attributes"]["light"]["probabilities"]["bright"] == pytest.approx(expected, abs=1e-5)
    level = face["attributes"]["level"]
    assert list(level) == ["expectation", "probabilities", "interval_90"]
    assert list(level["probabilities"]) == ["0", "1", "2", "3", "4"]


def test_the_command_line_shows_it_to_people(cli, expected, tmp_path):
    code, out, err = cli("--annotate", str(tmp_path / "drawn"))
    assert code == 0, err
    assert f"{100 * max(expected, 1 - expected):.0f} %" in next(line for line in out.splitlines() if "light" in line)
    assert any(line.strip().startswith("level") for line in out.splitlines())
    assert (tmp_path / "drawn" / "head.annotated.png").is_file()


def test_it_can_take_the_place_of_a_built_in_network(tmp_path, head):
    path = tmp_path / "mine.toml"
    path.write_text(entry(brightness(tmp_path / "brightness.onnx"), attribute="emotion"))
    with EmbeddedServer(Settings(models_file=str(path))) as target, Client(target) as client:
        assert client.server_info().attributes == ("emotion", "gender", "age", "age_group")
        (face,) = client.analyze(head, upsample_times=0).faces
    assert face["emotion"].labels == ("dark", "bright")


def test_a_network_that_does_not_fit_keeps_the_server_from_starting(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(entry(brightness(tmp_path / "brightness.onnx"), axis='labels = ["a", "b", "c"]'))
    assert faced(["serve", "--port", "0", "--models-file", str(path)]) == 5
    said = capsys.readouterr().err
    assert f"faced: error: {path}: network 'brightness': brightness.onnx does not fit: " in said
    assert "'y' float [n, 2], 2 values for each face, and the entry's axis has 3 labels" in said


def test_the_embedded_server_of_the_command_line_says_the_same(tmp_path, cli, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text(entry("0" * 64))
    monkeypatch.setenv("FACED_MODELS_FILE", str(path))
    code, _, err = cli()
    assert code == 5
    assert "brightness.onnx is missing" in err


def test_settings_are_checked_with_the_file(models_file, tmp_path, capsys):
    allowed = ["serve", "--check-config", "--allowed-attributes", "light"]
    assert faced([*allowed, "--models-file", str(models_file)]) == 0
    assert f'models_file = "{models_file}"' in capsys.readouterr().out
    assert faced(allowed) == 2
    assert "allowed_attributes names 'light'; there are emotion, gender, age, age_group" in capsys.readouterr().err
    assert faced([*allowed, "--models-file", str(tmp_path / "gone.toml")]) == 5
    assert "gone.toml cannot be read: No such file" in capsys.readouterr().err


def test_a_network_that_comes_along_is_chosen_by_name(astronaut, capsys):
    settings = Settings(networks=("mini-xception",), allowed_attributes=("emotion",))
    with EmbeddedServer(settings) as target, Client(target) as client:
        (face,) = client.analyze(astronaut).faces
    assert face["emotion"].model.startswith("mini-xception@1+")
    assert face["emotion"].calibrated
    assert faced(["serve", "--check-config", "--networks", "mini-xceptions"]) == 2
    assert "networks: no network 'mini-xceptions'; there are mmod," in capsys.readouterr().err
