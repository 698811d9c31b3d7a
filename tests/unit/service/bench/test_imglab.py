import pytest

from faced_proto.types import Box
from faced_service.bench.imglab import Label, read_imglab

WHOLE = """<?xml version='1.0' encoding='ISO-8859-1'?>
<dataset><name>x</name><images>
  <image file='a.jpg' width='500' height='375'>
    <box top='90' left='194' width='37' height='38'/>
    <box top='-3' left='5' width='10' height='10' ignore='1'><label>dog</label></box>
  </image>
  <image file='sub/b.jpg'/>
</images></dataset>"""


@pytest.fixture
def read(tmp_path):
    def of(text):
        (tmp_path / "faces.xml").write_text(text)
        return read_imglab(tmp_path / "faces.xml")

    return of


def test_pictures_lie_beside_the_file_and_boxes_are_continuous(read, tmp_path):
    a, b = read(WHOLE)
    assert (a.path, b.path) == (tmp_path / "a.jpg", tmp_path / "sub" / "b.jpg")
    assert a.labels == (Label(Box(194, 90, 231, 128), False), Label(Box(5, -3, 15, 7), True, "dog"))
    assert b.labels == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<dataset><images>", r"faces\.xml: is no XML: .*line 1"),
        ("hello", r"faces\.xml: is no XML"),
        ("<html/>", r"faces\.xml: is no imglab file"),
        ("<dataset><images/></dataset>", r"faces\.xml: is no imglab file with pictures"),
        ("<dataset><images><image/></images></dataset>", r"image 1 has no file"),
        (WHOLE.replace("width='37'", ""), r"image 1 \(a\.jpg\), box 1: width is '', no whole number"),
        (WHOLE.replace("top='-3'", "top='up'"), r"image 1 \(a\.jpg\), box 2: top is 'up', no whole number"),
        (WHOLE.replace("width='37'", "width='0'"), r"box 1: 0 x 38 is no size"),
    ],
)
def test_what_is_wrong_is_named(read, text, words):
    with pytest.raises(ValueError, match=words):
        read(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"training\.xml: cannot be read: No such file"):
        read_imglab(tmp_path / "training.xml")
