import io

import pytest
from rich.console import Console

from faced_cli.image_report import bar_text, report


def shown(analysis, encoding: str) -> list[str]:
    raw = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=raw, width=80, highlight=False)
    console.print(report("group [1].jpg", analysis, console))
    raw.flush()
    return raw.buffer.getvalue().decode(encoding).splitlines()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_one_block_for_each_face_in_80_columns_without_colour_codes(analysis, face, encoding):
    lines = shown(analysis(640, 480, face(10, 20, 110, 120), face(300, 20, 420, 140)), encoding)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in text
    assert lines[0].split() == ["group", "[1].jpg", "2", "faces"]
    assert "scale 2" in lines[1]
    assert "faces from 40 px" in lines[1]
    assert "44 ms" in lines[1]
    assert text.count("withheld") == 2
    assert text.count("may be a minor") == 2
    assert "100 px wide at (10, 20), score 1.10" in text
    assert [line.split()[-2:] for line in lines if "happy" in line] == [["90", "%"]] * 2
    assert sum("surprise" in line for line in lines) + sum("neutral" in line for line in lines) == 4
    assert not any("disgust" in line for line in lines)


def test_no_faces_is_said(analysis):
    assert "no faces" in shown(analysis(640, 480), "utf-8")[0]


@pytest.mark.parametrize(
    ("probability", "bar"), [(0.0, ""), (1.0, "\u2588" * 8), (0.5, "\u2588" * 4), (1 / 16, "\u258c")]
)
def test_bars_have_eighths(probability, bar):
    assert bar_text(probability, 8, True) == bar


def test_bars_without_unicode():
    assert bar_text(0.5, 8, False) == "####"
