import json
import re
import shutil
import time

import cv2
import numpy as np
import pytest

from faced_client import Client
from faced_service.embedded import EmbeddedServer
from faced_service.main import main
from faced_service.settings import Settings

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.fixture(scope="module")
def folders(tmp_path_factory, astronaut):
    """The astronaut's face, 12 times for each of seven classes, each class as bright as none of the others."""
    folder = tmp_path_factory.mktemp("faces")
    face = np.ascontiguousarray(astronaut[65:185, 160:280, ::-1])
    for i, emotion in enumerate(EMOTIONS):
        (folder / emotion).mkdir()
        for k in range(12):
            made = cv2.convertScaleAbs(face, alpha=0.4 + 0.1 * i, beta=k)
            cv2.imwrite(str(folder / emotion / f"{k}.png"), made)
    return folder


@pytest.fixture(autouse=True)
def training_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FACED_TRAIN_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def run(capsys, *words):
    code = main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_from_pictures_over_training_to_a_reply(capsys, folders, tmp_path, training_folder, astronaut):
    start = time.process_time()
    code, out, err = run(capsys, "train", "emotion", "--data", str(folders), "--smoke")
    assert (code, out) == (0, ""), err
    assert "epoch 2 of 2: loss" in err
    assert time.process_time() - start < 60
    folder = training_folder / "faced-emotion-fer2013-smoke"
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.pt", "curves.png", "data.json", "log.jsonl", "outcome.json", "recipe.toml",
    }  # fmt: skip
    assert [json.loads(line)["epoch"] for line in (folder / "log.jsonl").read_text().splitlines()] == [1, 2]
    assert cv2.imread(str(folder / "curves.png")).shape[1] == 1100

    networks = tmp_path / "networks.toml"
    code, _, err = run(capsys, "export", str(folder), "--models-file", str(networks), "--name", "mine")
    assert code == 0, err
    assert "of PyTorch" in err
    assert "By the recipe faced-emotion-fer2013" in (tmp_path / "mine.md").read_text()
    assert run(capsys, "models", "check", str(networks))[0] == 0

    settings = Settings(models_file=str(networks), allowed_attributes=("emotion",))
    with EmbeddedServer(settings) as target, Client(target) as client:
        (face,) = client.analyze(astronaut).faces
    emotion = face["emotion"]
    assert emotion.model.startswith("mine@1+")
    assert emotion.labels == EMOTIONS
    assert sum(emotion.probabilities) == pytest.approx(1, abs=1e-5)
    assert not emotion.calibrated


def test_a_network_is_judged_and_calibrated_by_faces_that_it_has_not_learnt_from(capsys, folders, tmp_path):
    """Of a folder with `train` and `test` by the latter; where there is nothing else, by what the run held out."""
    parted = tmp_path / "own"
    for part, wanted in (("train", range(10)), ("test", range(10, 12))):
        for emotion in EMOTIONS:
            (parted / part / emotion).mkdir(parents=True)
            for k in wanted:
                shutil.copy(folders / emotion / f"{k}.png", parted / part / emotion / f"{k}.png")
    runs = tmp_path / "runs"
    judged, held_out = {}, {}
    for name, data in (("parted", parted), ("whole", folders)):
        words = ["train", "emotion", "--data", str(data), "--smoke", "--folder", str(runs / name)]
        assert run(capsys, *words)[0] == 0
        networks = tmp_path / f"{name}.toml"
        code, _, err = run(capsys, "export", str(runs / name), "--models-file", str(networks), "--name", name)
        assert code == 0, err
        judge = ["--data", str(data), "--models-file", str(networks), "--model", name]
        code, out, err = run(capsys, "eval", "emotion", *judge, "--path", "crop", "--json")
        assert code == 0, err
        judged[name] = json.loads(out)["n"]
        code, _, err = run(capsys, "calibrate", "emotion", *judge, "--usage", "all")
        assert code == 3
        held_out[name] = json.loads((runs / name / "outcome.json").read_text())["n"]
        learnt = {"parted": 70, "whole": 84}[name] - held_out[name]
        assert f"{name} was trained on {learnt} of 84 rows" in err
    assert judged == {"parted": 14, "whole": held_out["whole"]}


def test_what_cannot_be_entered_leaves_the_served_network_as_it_is(capsys, folders, tmp_path, training_folder):
    assert run(capsys, "train", "emotion", "--data", str(folders), "--smoke")[0] == 0
    networks, folder = tmp_path / "networks.toml", str(training_folder / "faced-emotion-fer2013-smoke")
    export = ["export", folder, "--models-file", str(networks), "--name", "mine"]
    assert run(capsys, *export)[0] == 0
    (tmp_path / "mine.onnx").write_bytes(before := (tmp_path / "mine.onnx").read_bytes() + b"\0")
    networks.write_text(re.sub(r"^axis = .*$", "axis = { labels = [\n] }", networks.read_text(), flags=re.MULTILINE))
    code, _, err = run(capsys, *export)
    assert code == 5
    assert "each must stand on one line" in err
    assert (tmp_path / "mine.onnx").read_bytes() == before


def test_the_same_command_goes_on_where_it_stopped(capsys, folders, training_folder):
    command = ["train", "emotion", "--data", str(folders), "--smoke"]
    code, _, err = run(capsys, *command, "--epochs", "1")
    assert code == 0
    assert "epoch 2" not in err
    code, _, err = run(capsys, *command)
    assert code == 0
    assert "epoch 1" not in err
    assert "epoch 2 of 2" in err


def test_gender_from_pictures_named_as_utkfaces_are(capsys, astronaut, tmp_path, training_folder):
    folder = tmp_path / "utk"
    folder.mkdir()
    for i in range(40):
        face = cv2.convertScaleAbs(np.ascontiguousarray(astronaut[65:185, 160:280, ::-1]), alpha=1 - i / 80)
        cv2.imwrite(str(folder / f"{20 + i}_{i % 2}_0_2017{i:02}0120000000.jpg"), face)
    code, _, err = run(capsys, "train", "gender", "--data", str(folder), "--smoke")
    assert code == 0, err
    outcome = json.loads((training_folder / "age-gender-net-gender-smoke" / "outcome.json").read_text())
    assert outcome["labels"] == ["female", "male"]
    networks = tmp_path / "networks.toml"
    run_folder = str(training_folder / "age-gender-net-gender-smoke")
    code, _, err = run(capsys, "export", run_folder, "--models-file", str(networks), "--crop", "face_aligner:0.325")
    assert code == 0, err
    text = networks.read_text()
    assert 'licence = "research only"' in text
    assert 'crop = { kind = "face_aligner", size = 227, padding = 0.325 }' in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["train", "emotion", "--data", "nowhere"], 3, "nowhere: there is no such file or folder"),
        (
            ["train", "emotion", "--data", ".", "--recipe", "mine"],
            3,
            "there is no recipe 'mine'; there are age, age-resnet, emotion,",
        ),
        (["train", "gender", "--data", ".", "--recipe", "age"], 3, "is for age, not for gender"),
        (["export", "nowhere", "--models-file", "x.toml"], 3, "nowhere: there is no checkpoint"),
    ],
)
def test_what_is_wrong_is_told(capsys, monkeypatch, tmp_path, words, code, message):
    monkeypatch.chdir(tmp_path)
    found, _, err = run(capsys, *words)
    assert found == code
    assert message in err


@pytest.mark.data
def test_fer2013_with_votes_in_a_minute(capsys, data_dir, training_folder):
    data, votes = data_dir / "fer2013" / "fer2013.csv.gz", data_dir / "fer2013" / "ferplus_votes.csv"
    code, _, err = run(capsys, "train", "emotion", "--data", str(data), "--votes", str(votes), "--smoke")
    assert code == 0, err
    note = json.loads((training_folder / "faced-emotion-smoke" / "data.json").read_text())
    assert note["trained_on"] == ["FER2013 Training"]
    assert "with FER+'s votes" in note["description"]
