import re

import numpy as np
import pytest

from faced_train.datasets.fer2013_csv import read_fer2013_csv
from faced_train.errors import DataError


@pytest.mark.parametrize("name", ["fer2013.csv", "fer2013.csv.gz"])
def test_rows_are_read_plain_and_packed(fer_csv, fer_rows, name):
    faces = read_fer2013_csv(fer_csv(fer_rows, name=name))
    assert [truth.emotion for truth in faces.truths] == [
        "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "happy",
    ]  # fmt: skip
    assert [truth.part for truth in faces.truths] == ["Training"] * 2 + ["PublicTest"] * 6
    assert faces.truths[2].where == f"{name}: line 4"
    pictures = list(faces.pictures(6))
    assert len(pictures) == 2
    assert pictures[0].shape == (48, 48, 3)
    expected = np.array(fer_rows[6].split(",")[1].split(), np.uint8).reshape(48, 48)
    assert (pictures[0] == expected[..., None]).all()


def test_columns_are_found_by_name_in_any_order(fer_csv, fer_rows):
    turned = [",".join(reversed(row.split(","))) for row in fer_rows]
    faces = read_fer2013_csv(fer_csv(turned, header=" Usage, pixels, emotion"))
    assert faces.truths[3].emotion == "happy"
    assert faces.digest == read_fer2013_csv(fer_csv(fer_rows)).digest


def test_the_digest_is_of_the_faces_and_not_of_their_order(fer_csv, fer_rows):
    whole = read_fer2013_csv(fer_csv(fer_rows))
    assert read_fer2013_csv(fer_csv(fer_rows[::-1])).digest == whole.digest
    assert read_fer2013_csv(fer_csv(fer_rows[:-1])).digest != whole.digest


def test_a_selection_reads_its_own_pictures(fer_csv, fer_rows):
    faces = read_fer2013_csv(fer_csv(fer_rows))
    (last,) = faces.take([1, 5]).pictures(1)
    assert (last == list(faces.pictures())[5]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row.replace("2,", "7,", 1), "line 4: emotion is '7', expected 0 to 6"),
        (lambda row: row.replace("2,", "x,", 1), "line 4: emotion is 'x'"),
        (lambda row: row.rpartition(" ")[0] + ",PublicTest", "line 4: 2303 pixels, expected 48 x 48"),
        (lambda row: row.replace("2,", "2,999 ", 1).rpartition(" ")[0] + ",PublicTest", "line 4: a pixel is 999"),
        (lambda row: row.replace("2,", "2,-", 1), "line 4: pixels are to be whole numbers"),
        (lambda row: row + ",more", "line 4: 4 fields, expected 3"),
        (lambda row: row.split(",")[0], "line 4: 1 fields, expected 3"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(fer_csv, fer_rows, change, message):
    path = fer_csv([*fer_rows[:2], change(fer_rows[2]), *fer_rows[3:]])
    with pytest.raises(DataError, match=re.escape(f"{path}: {message}")):
        list(read_fer2013_csv(path).pictures())


def test_a_file_that_is_no_fer2013_is_refused(fer_csv, tmp_path):
    with pytest.raises(DataError, match="no column 'pixels'"):
        read_fer2013_csv(fer_csv(["1,2"], header="emotion,other"))
    with pytest.raises(DataError, match="no rows after the header"):
        read_fer2013_csv(fer_csv([]))
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(fer_csv(["0,1,x"], name="a.csv.gz").read_bytes()[:20])
    with pytest.raises(DataError, match=r"broken\.csv\.gz: cannot be read"):
        read_fer2013_csv(broken)
