import pytest

from faced_models.errors import WeightsError
from faced_train.manifest_text import with_fields

TEXT = """# Networks.

[network.first]
file = "a.onnx"  # here
temperature = 1

[network."second"]
file = "b.onnx"
"""


def test_a_field_is_replaced_and_everything_else_kept():
    made = with_fields(TEXT, "first", {"temperature": "2.5"})
    assert made == TEXT.replace("temperature = 1", "temperature = 2.5")


def test_a_field_is_added_at_the_end_of_its_network():
    made = with_fields(TEXT, "first", {"oversample": '"flip"'})
    assert made == TEXT.replace("temperature = 1\n", 'temperature = 1\noversample = "flip"\n')
    assert with_fields(TEXT, "second", {"x": "1"}) == TEXT + "x = 1\n"


def test_an_unknown_network_is_added_at_the_end():
    assert with_fields(TEXT, "third", {"x": "1"}) == TEXT + "\n[network.third]\nx = 1\n"
    assert with_fields("", "third", {"x": "1"}) == "[network.third]\nx = 1\n"
    assert with_fields("", "v1.2", {"x": "1"}) == '[network."v1.2"]\nx = 1\n'
    assert with_fields(with_fields("", "v1.2", {"x": "1"}), "v1.2", {"x": "2"}) == '[network."v1.2"]\nx = 2\n'


@pytest.mark.parametrize(
    "text",
    [
        "[network.first]\nvalues = [\n  1,\n]\n",
        "[network.first]\nx = 1\n[network.first.values]\ny = 2\n",
        'network = { first = { x = "1" } }\n',
    ],
)
def test_what_cannot_be_replaced_is_refused(text):
    with pytest.raises(WeightsError, match="'first': values cannot be set"):
        with_fields(text, "first", {"values": "[2]"})
