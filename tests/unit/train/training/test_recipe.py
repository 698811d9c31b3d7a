import pytest

from faced_train.errors import DataError
from faced_train.training.recipe import RECIPES, parse_recipe, read_recipe

EMOTION = (RECIPES / "emotion.toml").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_recipes_that_come_along_can_be_read(path):
    recipe = read_recipe(path)
    assert recipe.subject in ("emotion", "gender", "age")
    assert len(recipe.network.mean) == recipe.network.channels
    assert recipe.text == path.read_text("utf-8")


def test_sides_grow_with_the_epochs():
    recipe = parse_recipe(EMOTION, "here")
    (_, first), *_, (last_from, last) = recipe.schedule.sides
    assert recipe.side(0) == first
    assert recipe.side(last_from - 1) < recipe.side(last_from) == last == recipe.network.side == 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed = 7", "seeds = 7"), r"here: \[schedule\] does not know 'seeds'; there are .*seed"),
        (("epochs = 60", ""), r"here: \[schedule\] .*'epochs'"),
        (("[augment]", "[augments]"), r"here: does not know 'augments'"),
        (("seed = 7", "seed = "), "here: is no TOML"),
        (('subject = "emotion"', 'subject = "mood"'), "here: subject is 'mood'; there are emotion, gender, age"),
        (("epochs = 60", 'epochs = "14"'), r"here: \[schedule\] epochs is '14', expected a whole number"),
        (("rate = 0.06", "rate = -1"), r"here: \[schedule\] rate is -1, must be above 0"),
        (("batch = 64", "batch = 1"), r"here: \[schedule\] batch is 1, must be at least 2"),
        (('"angry", ', '"anger", '), r"here: \[target\] classes has 'anger'; there are angry, .*"),
        (("mean", "# mean"), None),
    ],
)
def test_a_wrong_recipe_is_told_by_its_key(change, message):
    text = EMOTION.replace(*change)
    if message is None:
        assert parse_recipe(text, "here").network.mean == (127.5,)
        return
    with pytest.raises(DataError, match=message):
        parse_recipe(text, "here")
