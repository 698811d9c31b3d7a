"""Model cards: written from the manifest and recorded evaluations, and up to date in the repository."""

import argparse
import json
import re
from dataclasses import replace

import pytest

from faced_models.calibration import FittedOn, OrdinalKernel, Temperature
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_train import cards_command
from faced_train.report.card import card_of
from faced_train.report.findings import findings

MANIFESTED = load_manifest()
EMOTION, AGE = MANIFESTED.network("mini-xception"), MANIFESTED.network("age")


def record(entry=EMOTION, **more):
    return {
        "attribute": entry.attribute,
        "model": entry.model_id,
        "calibrated": True,
        "path": "served",
        "split": "all",
        "data": {"name": "faces.csv", "format": "FER2013 CSV", "sha256": "ab" * 32, "left_out": ["3 rows of no class"]},
        "n": 300,
        "missed": 20,
        "accuracy": 0.645,
        "ece": 0.021,
        "intervals_95": {"accuracy": [0.6, 0.69]},
        "groups": {
            "emotion": {
                "happy": {"n": 150, "missed": 4, "accuracy": 0.9, "macro_f1": 0.1},
                "sad": {"n": 120, "missed": 6, "accuracy": 0.5, "macro_f1": 0.1},
                "fear": {"n": 3, "missed": 0, "accuracy": 0.0, "macro_f1": 0.0},
            }
        },
        "conditions": [{"face_px": 40, "n": 90, "missed": 10, "accuracy": 0.4}],
        "labels": ["happy", "sad"],
        "confusion": [[135, 15], [60, 60]],
        **more,
    }


def section(page, title):
    (text,) = re.findall(rf"^## {title}\n\n(.*?)\n(?=\n## |\Z)", page, re.DOTALL | re.MULTILINE)
    return text


def test_a_card_tells_origin_licence_and_preprocessing_of_the_manifest():
    page = card_of(EMOTION, [])
    assert page.startswith("# Emotion: mini-XCEPTION\n")
    for fact in (EMOTION.model_id, EMOTION.sha256, EMOTION.source.sha256, "| licence of the weights | MIT |"):
        assert fact in page
    assert "FER2013 has no clear licence" in section(page, "Training data")
    assert "blend, 64 x 64 px, padding 0.25" in section(page, "Preprocessing")
    assert "No evaluation is recorded." in section(page, "Measured")
    assert "Workplaces and schools" in section(page, "Not for")


def test_a_card_tells_the_figures_of_its_records():
    measured = section(card_of(EMOTION, [record()]), "Measured")
    assert "### On faces.csv" in measured
    assert "300 faces, 20 not found; served path, calibrated." in measured
    assert "| accuracy | 64.5 % | 60.0 % to 69.0 % |" in measured
    assert "| expected calibration error (ECE) | 2.1 % |  |" in measured
    assert "| happy | 150 | 4 | 90.0 % |" in measured
    assert "| face 40 px | 90 | 10 | 40.0 % |" in measured
    assert "| happy | 90 | 10 |" in measured
    assert "- 3 rows of no class" in measured
    assert "| fear |" not in measured, "three faces are no group"
    assert "macro" not in measured


def test_what_is_wrong_most_often_is_said_in_words():
    assert list(findings(record())) == [
        "By emotion, accuracy is worst for sad, 50.0 %, and best for happy, 90.0 % (faces.csv).",
        "50 % of sad is called happy (faces.csv).",
        "10 % of happy is called sad (faces.csv).",
    ]
    ages = {"0-9": {"n": 60, "mae": 3.0}, "60-69": {"n": 70, "mae": 11.5}, "80+": {"n": 4, "mae": 30.0}}
    assert list(findings({"mae": 6.0, "groups": {"age": ages}, "data": {"name": "UTKFace"}})) == [
        "By age, mean absolute error is worst for 60-69, 11.50 years, and best for 0-9, 3.00 years (UTKFace)."
    ]
    assert "50 % of sad is called happy" in section(card_of(EMOTION, [record()]), "Known failures")


def test_a_card_tells_how_probabilities_were_calibrated():
    fitted = FittedOn("FER2013 PublicTest", 2400, "c" * 64)
    assert "calibrated: false" in section(card_of(EMOTION.raw, []), "Calibration")
    told = section(card_of(replace(EMOTION, calibration=Temperature(1.5, fitted)), []), "Calibration")
    assert "Fitted on 2,400 faces of FER2013 PublicTest" in told
    assert "Temperature 1.5." in told
    kernel = OrdinalKernel(AGE.axis, 2.0, (0.0, 80.0), (1.0, 78.5), (3.0, 9.0), fitted)
    told = section(card_of(replace(AGE, calibration=kernel), []), "Calibration")
    assert "| 80 | 78.50 | 9.00 |" in told


def test_no_folder_of_the_machine_gets_into_a_card():
    data = record()["data"] | {"left_out": [f"/home/me/data/faces.tar: {i}.jpg: cannot be read" for i in range(9)]}
    page = card_of(EMOTION, [record(data=data)])
    assert "- faces.tar: 0.jpg: cannot be read" in page
    assert "/home" not in page
    assert "- and 6 more" in page


def test_a_network_without_a_card_is_named():
    with pytest.raises(WeightsError, match=r"manifest\.toml: network 'mini-xception': card is missing"):
        card_of(replace(EMOTION, card=None), [])


def cards(*words):
    parser = argparse.ArgumentParser(prog="faced cards")
    cards_command.add_arguments(parser)
    return cards_command.run(parser.parse_args(list(map(str, words))))


def test_cards_are_written_once_and_removed_with_their_network(tmp_path, capsys):
    (tmp_path / "gone.md").write_text("of a network that is no more")
    assert cards("--check", "--cards", tmp_path) == 1
    assert "DIFFERS gone.md" in capsys.readouterr().out
    assert cards("--cards", tmp_path) == 0
    assert sorted(path.stem for path in tmp_path.glob("*.md")) == sorted(one.name for one in MANIFESTED.networks)
    capsys.readouterr()
    assert cards("--check", "--cards", tmp_path) == 0
    assert cards("--cards", tmp_path) == 0
    assert capsys.readouterr().out == ""
    with (tmp_path / "mmod.md").open("a") as file:
        file.write("by hand\n")
    assert cards("--check", "--cards", tmp_path) == 1
    assert capsys.readouterr().out == "DIFFERS mmod.md\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "e.json: is no record"),
        ("[]", "e.json: is no output of `faced eval --json`"),
        ('{"model": "x"}', "path, data, n, missed missing"),
        (json.dumps(record(model="mini-xception@1+00000000")), "which is not what is served (mmod@1+"),
    ],
)
def test_a_record_that_no_card_can_tell_of_is_named_and_nothing_is_written(tmp_path, capsys, text, message):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "e.json").write_text(text)
    assert cards("--cards", tmp_path) == 3
    assert message in capsys.readouterr().err
    assert list(tmp_path.glob("*.md")) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cards("--cards", tmp_path / "file") == 2
    assert "file: cannot be written" in capsys.readouterr().err


def test_the_cards_of_the_repository_are_up_to_date(capsys):
    assert cards("--check") == 0, f"{capsys.readouterr()}: run `faced cards`"


def test_records_of_the_repository_are_of_the_served_path():
    for path in (cards_command.CARDS / "records").glob("*.json"):
        assert json.loads(path.read_text())["path"] == "served", path.name
