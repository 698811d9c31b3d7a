import json

import pytest

from faced_proto.types import Box, Detection
from faced_service.bench.clip import moving_face
from faced_service.bench.live import match
from faced_service.main import main


def test_live_mode_on_a_made_clip_finds_all_faces_faster(capsys):
    assert main(["bench", "live", "--frames", "21", "--interval", "10", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["clip"], row["size"], row["frames"], row["interval"]) == ("made", "960x540", 21, 10)
    assert (row["boxes"], row["full_scans"], row["extra"]) == (21, 3, 0)
    assert row["found_60"] >= 0.95
    assert 0 <= row["found_90"] <= row["found_60"]
    assert row["ratio"] > 2


@pytest.mark.parametrize("content", [None, b"no video"])
def test_a_clip_that_cannot_be_read_is_bad_input_and_named(tmp_path, capsys, content):
    clip = tmp_path / "clip.mp4"
    if content is not None:
        clip.write_bytes(content)
    assert main(["bench", "live", "--video", str(clip)]) == 3
    assert f"{clip}: not a video that can be read" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--interval", "0"], ["--interval", "1001"], ["--upsample", "9"], ["--frames", "0"]])
def test_numbers_out_of_range_are_usage_errors(capsys, flags):
    with pytest.raises(SystemExit) as caught:
        main(["bench", "live", *flags])
    assert caught.value.code == 2
    assert flags[0] in capsys.readouterr().err


def test_the_made_face_moves_two_pixels_a_frame():
    first, second, *_ = moving_face(2)
    assert first.shape == (540, 960, 3)
    assert (first[150:390, 0:320] == second[150:390, 2:322]).all()


def test_each_box_found_stands_for_one_expected():
    def face(left):
        return Detection(Box(left, 0.0, left + 10.0, 10.0), 1.0)

    assert match([face(0.0), face(5.0)], [face(5.0)]) == [0.0, 1.0]
    assert match([face(0.0)], []) == [0.0]
    assert match([], [face(0.0)]) == []
