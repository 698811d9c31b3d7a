import re

import pytest

from faced_train.datasets.fer2013_csv import read_fer2013_csv
from faced_train.datasets.ferplus_votes import COLUMNS, vote_shares, with_votes
from faced_train.errors import DataError

HAPPY, NONE = "0,10,0,0,0,0,0,0,0,0", "0,0,0,0,0,0,0,0,0,0"


@pytest.fixture
def faces(fer_csv, fer_rows):
    return read_fer2013_csv(fer_csv(fer_rows))


OWN_HEADER = "Usage,row," + ",".join(COLUMNS)


def votes(tmp_path, rows, header=OWN_HEADER):
    path = tmp_path / "votes.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return path


def part(i):
    return "Training" if i < 2 else "PublicTest"


def test_votes_are_matched_by_row_in_any_order(faces, tmp_path):
    rows = [f"{part(i)},{i},{i},0,0,0,0,0,0,0,0,{10 - i}" for i in range(8)]
    voted = with_votes(faces, votes(tmp_path, [*rows[5:], *rows[:5]]))
    assert [truth.votes[0] for truth in voted.truths] == list(range(8))


def test_rows_without_votes_keep_none(faces, tmp_path):
    voted = with_votes(faces, votes(tmp_path, [f"PublicTest,3,{HAPPY}", f"PublicTest,4,{NONE}"]))
    assert [truth.votes is not None for truth in voted.truths] == [False] * 3 + [True] + [False] * 4


def test_rows_counted_from_elsewhere_are_matched_in_order(faces, tmp_path):
    selected = faces.take(range(2, 8))
    rows = [f"PublicTest,{28709 + i},{i},0,0,0,0,0,0,0,0,1" for i in range(6)]
    assert [truth.votes[0] for truth in with_votes(selected, votes(tmp_path, rows)).truths] == list(range(6))


def test_ferplus_own_file_is_read(faces, tmp_path):
    header = "Usage,Image name," + ",".join(COLUMNS)
    rows = [f"{part(i)},{'' if i == 1 else f'fer{i:07}.png'},{HAPPY if i != 1 else NONE}" for i in range(8)]
    voted = with_votes(faces, votes(tmp_path, rows, header))
    assert sum(truth.votes is not None for truth in voted.truths) == 7


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([f"PublicTest,9,{HAPPY}"], "line 2 is for row 9, which is no PublicTest row of the data set; and it has 0"),
        ([f"PublicTest,0,{HAPPY}"], "line 2 is for row 0, which is no PublicTest row"),
        ([f"Training,0,{HAPPY}", f"Training,0,{HAPPY}"], "row 0 has votes twice"),
        (["Training,0,1,2"], "line 2: the number of fields is not that of the header"),
        ([f"Training,0,x{HAPPY[1:]}"], "line 2: neutral is 'x', no whole number"),
        ([f"Training,0,{NONE}"], "no row of fer2013.csv has votes"),
    ],
)
def test_votes_that_do_not_fit_are_named_by_their_line(faces, tmp_path, rows, message):
    with pytest.raises(DataError, match=re.escape(message)):
        with_votes(faces, votes(tmp_path, rows))


def test_votes_that_agree_by_chance_only_are_refused(fer_csv, fer_rows, tmp_path):
    labels = [i % 7 for i in range(140)]
    faces = read_fer2013_csv(fer_csv([f"{label},{fer_rows[0].split(',')[1]},Test" for label in labels]))
    names = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]

    def row(i, label):
        return f"Test,{i}," + ",".join("10" if column == names[label] else "0" for column in COLUMNS)

    right = votes(tmp_path, [row(i, label) for i, label in enumerate(labels)])
    assert with_votes(faces, right).truths[0].votes[4] == 10
    moved = votes(tmp_path, [row(i, (label + 1) % 7) for i, label in enumerate(labels)])
    with pytest.raises(DataError, match="agree with 0 % of the labels"):
        with_votes(faces, moved)


def test_contempt_has_a_column_and_a_label_without_one_is_named():
    votes = (1, 0, 0, 0, 0, 0, 0, 3, 4, 0)
    assert vote_shares(votes, ("neutral", "happy")) is None
    assert vote_shares((1, 0, 0, 0, 0, 0, 0, 3, 2, 0), ("neutral", "contempt")).tolist() == [0.25, 0.75]
    with pytest.raises(DataError, match="FER\\+ has no column of votes for 'bored'; it has them for angry,"):
        vote_shares(votes, ("neutral", "bored"))
