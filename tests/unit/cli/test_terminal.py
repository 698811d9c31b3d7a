from faced_cli.render import error_object, frame_dropped_object, json_line
from faced_cli.terminal import visible, whole_text


def test_what_steers_a_terminal_is_escaped_and_letters_are_not():
    assert visible("a\x1b[31mb\r\nc\x9bd") == r"a\x1b[31mb\r\nc\x9bd"
    assert visible("photo\u202egpj.exe") == r"photo\u202egpj.exe"
    assert visible("\udcff.jpg") == r"\xff.jpg"
    assert visible("Zoë 写真 👩\u200d🚀 [1]") == "Zoë 写真 👩\u200d🚀 [1]"


def test_file_names_that_are_no_utf8_are_valid_json():
    assert whole_text("a\udcffb") == "a\ufffdb"
    for row in (error_object("\udcff", "unreadable", "\udcfe: no"), frame_dropped_object("\udcff", 0, 0.0, "late")):
        assert "\\ud" not in json_line(row)
