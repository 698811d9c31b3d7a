import json

import cv2
import numpy as np
import pytest

from faced_service.main import main


@pytest.fixture(scope="module")
def utk(tmp_path_factory):
    """The astronaut's face, four times under names of UTKFace; a file that is no picture."""
    from skimage.data import astronaut

    folder = tmp_path_factory.mktemp("utk")
    face = np.ascontiguousarray(astronaut()[50:200, 150:300, ::-1])
    for i, age in enumerate((30, 33, 36, 12)):
        cv2.imwrite(str(folder / f"{age}_1_0_2017010{i}120000000.jpg"), cv2.convertScaleAbs(face, alpha=1 - i / 20))
    (folder / "notes.txt").write_text("text")
    return folder


def run(capsys, *words):
    code = main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_age_as_json_alone_on_standard_output(capsys, utk):
    code, out, err = run(capsys, "eval", "age", "--data", str(utk), "--json")
    assert code == 0
    record = json.loads(out)
    assert (record["n"], record["missed"], record["path"], record["calibrated"]) == (4, 0, "served", True)
    assert record["model"].startswith("dlib-age@1+")
    assert {"mae", "exact", "one_off", "crps", "coverage_90"} <= record.keys()
    assert record["mae"] < 15
    assert record["groups"]["age"]["30-39"]["n"] == 3
    assert record["intervals_95"]["mae"][0] <= record["mae"] <= record["intervals_95"]["mae"][1]
    assert "left out: no pictures: notes.txt" in err


def test_gender_tells_what_the_guard_would_hide(capsys, utk):
    code, out, _ = run(capsys, "eval", "gender", "--data", str(utk), "--json")
    record = json.loads(out)
    assert code == 0
    # The darkest of the three is taken for a man.
    assert record["accuracy_16"] == pytest.approx(2 / 3, abs=1e-6)
    assert record["n_16"] == 3
    assert record["from_20_hidden"] == 0.0
    assert record["under_16_shown"] == 1.0
    assert record["guard"]["threshold"] == 0.3


def test_the_crop_path_and_a_page(capsys, utk, tmp_path):
    page = tmp_path / "gender.html"
    code, out, _ = run(capsys, "eval", "gender", "--data", str(utk), "--path", "crop", "--html", str(page))
    assert code == 0
    assert "crop path" in out
    assert "accuracy from 16 years" in out
    text = page.read_text()
    assert text.count("<svg") >= 2
    assert "Reliability" in text
    assert "http" not in text


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("30_1_0_20170105.jpg", b"\xff\xd8broken", "30_1_0_20170105.jpg: "),
        ("portrait.jpg", b"", "portrait.jpg: expected a name of age_gender_race_date"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(capsys, utk, tmp_path, name, data, message):
    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / name).write_bytes(data)
    page = tmp_path / "page.html"
    code, out, err = run(capsys, "eval", "age", "--data", str(folder), "--json", "--html", str(page))
    assert (code, out) == (3, "")
    assert message in err
    assert not page.exists()


def test_a_network_that_does_not_exist_is_a_usage_error(capsys, utk):
    code, _, err = run(capsys, "eval", "age", "--data", str(utk), "--model", "other")
    assert code == 2
    assert "no network 'other'" in err


def test_too_few_faces_are_not_calibrated_on(capsys, utk, tmp_path):
    overlay = tmp_path / "mine.toml"
    code, _, err = run(capsys, "calibrate", "age", "--data", str(utk), "--overlay", str(overlay), "--split", "all")
    assert code == 3
    assert "4 faces are too few to fit on; at least 50" in err
    assert not overlay.exists()


def test_a_calibration_to_votes_needs_votes(capsys, utk):
    code, _, err = run(capsys, "calibrate", "emotion", "--data", str(utk), "--dry-run", "--to", "votes")
    assert code == 2
    assert "--to votes needs --votes FILE" in err


@pytest.mark.data
@pytest.mark.slow
def test_a_calibration_to_votes_comes_closer_to_them(capsys, data_dir):
    data, votes = data_dir / "fer2013" / "fer2013.csv.gz", data_dir / "fer2013" / "ferplus_votes.csv"
    words = ["calibrate", "emotion", "--data", str(data), "--votes", str(votes), "--limit", "300"]
    code, out, _ = run(capsys, *words, "--model", "mini-xception", "--to", "votes", "--dry-run", "--json")
    assert code == 0
    report = json.loads(out)
    assert "FER+'s votes on FER2013 PublicTest, two thirds" in report["calibration"]
    fit = report["compared"]
    assert fit["fit, calibrated"]["kl_votes"] < fit["fit, raw"]["kl_votes"]
