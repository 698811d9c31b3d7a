import pytest

from faced_train.datasets.imglab import BoxedPicture, LabelledBox, read_boxes, write_boxes
from faced_train.errors import DataError


def test_what_is_written_is_read_again_with_its_lines(tmp_path):
    boxes = (LabelledBox(1, 2, 30, 40, "cat & dog"), LabelledBox(-5, 0, 8, 9, ignored=True))
    write_boxes(tmp_path / "some.xml", "some", [BoxedPicture("a'b.jpg", boxes), BoxedPicture("c.jpg", ())])
    first, second = read_boxes(tmp_path / "some.xml")
    assert (first.file, first.line, second.file, second.line) == ("a'b.jpg", 5, "c.jpg", 9)
    assert first.boxes == (
        LabelledBox(1, 2, 30, 40, "cat & dog", line=6),
        LabelledBox(-5, 0, 8, 9, ignored=True, line=7),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<dataset>\n<images>\n", r"some.xml:3: is no XML: no element found"),
        ("<other/>", r"some.xml: is no imglab file with pictures"),
        ("<dataset><images>\n<image/></images></dataset>", r"some.xml:2: this image has no file"),
        (
            "<dataset><images><image file='a'>\n<box left='x' top='1' width='2'/></image></images></dataset>",
            r"some.xml:2: left is 'x', no whole number",
        ),
    ],
)
def test_what_is_not_imglabs_is_named_with_its_line(tmp_path, text, message):
    (tmp_path / "some.xml").write_text(text)
    with pytest.raises(DataError, match=message):
        read_boxes(tmp_path / "some.xml")
