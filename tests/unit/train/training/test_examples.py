import numpy as np
import pytest

from faced_train.datasets.fer2013_csv import read_fer2013_csv
from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth
from faced_train.training.examples import kept_back_rows, make_examples, target_of, training_rows
from faced_train.training.recipe import RECIPES, TargetPlan, read_recipe

RECIPE = read_recipe(RECIPES / "emotion.toml")
#        neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF
MIXED = (1, 6, 2, 0, 0, 0, 0, 1, 0, 0)
CONTEMPT = (1, 2, 0, 0, 0, 0, 0, 7, 0, 0)


class Pictures:
    def __init__(self, pictures):
        self._pictures = pictures

    def pictures(self, places):
        return iter([self._pictures[place] for place in places])


def face_set(truths, pictures=None):
    if pictures is None:
        random = np.random.default_rng(0)
        coarse = random.integers(0, 256, (len(truths), 6, 6, 1), np.uint8)
        pictures = [np.repeat(np.kron(one[..., 0], np.ones((8, 8), np.uint8))[..., None], 3, 2) for one in coarse]
    return FaceSet("made", "FER2013 CSV", tuple(truths), tuple(range(len(truths))), Pictures(pictures))


def voted(n, votes=MIXED):
    return [Truth(f"key {i}", f"line {i}", "Training", emotion="happy", votes=votes) for i in range(n)]


def examples(faces, kept_back=None, recipe=RECIPE):
    return make_examples(faces, kept_back, recipe, 48, lambda _done: None)


def test_votes_are_learnt_as_shares_without_contempt():
    target = target_of(voted(1)[0], RECIPE.target)
    assert RECIPE.target.classes == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert target.tolist() == pytest.approx([0, 0, 0, 6 / 9, 0, 2 / 9, 1 / 9])


def test_rows_of_which_most_saw_something_else_are_not_learnt():
    truths = [*voted(2), *voted(1, CONTEMPT), *voted(1, (0, 0, 0, 0, 0, 0, 0, 0, 6, 4)), *voted(1, None)]
    assert [truth.votes for truth in training_rows(face_set(truths), RECIPE).truths] == [MIXED, MIXED]


def test_rows_of_other_parts_are_not_learnt(fer_csv, fer_rows):
    faces = read_fer2013_csv(fer_csv(fer_rows))
    labels = read_recipe(RECIPES / "emotion-fer2013.toml")
    assert {truth.part for truth in training_rows(faces, labels).truths} == {"Training"}


def test_a_folded_label_is_learnt_as_the_other():
    plan = read_recipe(RECIPES / "emotion-vgg.toml").target
    assert target_of(Truth("", "", emotion="disgust"), plan).argmax() == plan.classes.index("angry")


@pytest.mark.parametrize(("truth", "group"), [
    (Truth("", "", age=3), "0-2"), (Truth("", "", age=4), "4-6"), (Truth("", "", age=80), "60+"),
    (Truth("", "", age_group=4), "25-32"),
])  # fmt: skip
def test_ages_and_groups_become_adiences_groups(truth, group):
    plan = read_recipe(RECIPES / "age.toml").target
    assert plan.classes[int(target_of(truth, plan).argmax())] == group


def test_years_are_capped_at_the_last_class():
    plan = TargetPlan("age", tuple(str(year) for year in range(81)))
    assert int(target_of(Truth("", "", age=95), plan).argmax()) == 80


def test_what_looks_like_a_face_that_is_kept_back_is_left_out():
    faces = face_set(voted(100))
    pictures = list(faces.pictures())
    noise = np.random.default_rng(1).integers(-2, 3, (48, 48, 1))
    copies = [np.clip(pictures[3] + noise, 0, 255).astype(np.uint8), pictures[7][:, ::-1]]
    made = examples(faces, face_set(voted(2), copies))
    keys = {truth.key for truth in made.faces.truths}
    assert keys == {f"key {i}" for i in range(100)} - {"key 3", "key 7"}
    assert made.faces.left_out == ("2 that look like a face that is kept back",)


def test_rows_held_out_are_told_by_the_faces_alone():
    made, fewer = examples(face_set(voted(400))), examples(face_set(voted(200)))
    assert 8 <= len(made.watched) <= 32
    assert set(made.learnt) | set(made.watched) == set(range(400))
    assert fewer.watched.tolist() == [row for row in made.watched if row < 200]


def test_of_folds_the_last_one_is_held_out():
    truths = [Truth(f"{i}", f"{i}", f"fold_{i % 5}", emotion="happy", votes=MIXED) for i in range(50)]
    assert {made.part for made in [truths[i] for i in examples(face_set(truths)).watched]} == {"fold_4"}


def test_other_parts_are_kept_back_and_folds_are_not():
    def parts(*names):
        faces = face_set([Truth(f"{i}", "", name, emotion="happy", votes=MIXED) for i, name in enumerate(names)])
        kept = kept_back_rows(faces)
        return kept and [truth.part for truth in kept.truths]

    assert parts("Training", "PublicTest", "Training", "PrivateTest") == ["PublicTest", "PrivateTest"]
    assert parts("fold_0", "fold_1", "fold_4") is None
    assert parts("", "") is None


def test_balance_makes_rare_classes_weigh_more():
    from dataclasses import replace

    rare = (0, 0, 0, 0, 10, 0, 0, 0, 0, 0)
    faces = face_set([*voted(180), *(Truth(f"rare {i}", "", "Training", votes=rare) for i in range(20))])
    balanced = replace(RECIPE, target=replace(RECIPE.target, balance=1.0))
    weights = examples(faces, recipe=balanced).weights
    assert weights.mean() == pytest.approx(1, abs=1e-5)
    assert weights[-1] > 3 * weights[0]
    assert np.ptp(examples(faces).weights) < 1e-6


def test_too_few_faces_are_told():
    with pytest.raises(DataError, match="made: 1 faces are too few to hold 5% of them back"):
        examples(face_set(voted(1)))
