import pytest

from faced_service.tokens import digest_of, read_tokens
from faced_service.watched_files import FileFault


def write(tmp_path, text):
    path = tmp_path / "tokens"
    path.write_text(text)
    return path


def test_each_line_is_a_name_and_a_token(tmp_path):
    table = read_tokens(write(tmp_path, "# who may call\n\ndoor:abc\n  hall : d:e:f \r\ndoor:new\n"))
    assert table.names == ("door", "hall")
    found = {token: table.name_of(digest_of(token)) for token in ("abc", "d:e:f", "new", "ab", "abcd", "", "door")}
    assert found == {"abc": "door", "d:e:f": "hall", "new": "door", "ab": None, "abcd": None, "": None, "door": None}


def test_the_table_does_not_show_tokens(tmp_path):
    assert "s3cret" not in repr(read_tokens(write(tmp_path, "door:s3cret\n")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no token; a line is name:token"),
        ("# nobody\n", "holds no token"),
        ("door:abc\nhall\n", "line 2: not name:token"),
        ("door:\n", "line 1: not name:token"),
        (":s3cret\n", "line 1: not name:token"),
        ("door:s3 cret\n", "line 1: not name:token"),
        ("d\u00f6or:s3cret\n", "line 1: not name:token"),
        ("a" * 65 + ":s3cret\n", "line 1: not name:token"),
        ("door:s3cret\nhall:s3cret\n", "line 2: has the token of line 1"),
    ],
)
def test_what_is_wrong_is_named_without_the_token(tmp_path, text, said):
    with pytest.raises(FileFault, match=said) as caught:
        read_tokens(write(tmp_path, text))
    assert str(tmp_path / "tokens") in str(caught.value)
    assert "s3" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path):
    with pytest.raises(FileFault, match="absent cannot be read: No such file or directory"):
        read_tokens(tmp_path / "absent")
    (tmp_path / "binary").write_bytes(b"door:\xff\xfe\n")
    with pytest.raises(FileFault, match="binary is no text"):
        read_tokens(tmp_path / "binary")
