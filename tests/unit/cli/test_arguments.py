from pathlib import Path

import pytest

from faced_cli.arguments import parse
from faced_cli.drawing_style import Blur, DrawingStyle, PanelMode


def usage_error(capsys, *argv: str) -> str:
    with pytest.raises(SystemExit) as end:
        parse(argv, {})
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["--server", "h:1", "--attributes", "age,emotion", "--upsample", "2", "image", "a.jpg"],
        ["image", "a.jpg", "--server", "h:1", "--attributes", "age,emotion", "--upsample", "2"],
        ["--server", "h:1", "image", "--upsample", "2", "a.jpg", "--attributes", "age,emotion"],
    ],
)
def test_common_flags_stand_before_or_after_the_command(argv):
    arguments = parse(argv, {})
    assert arguments.connection.server == "h:1"
    assert arguments.wishes.attributes == ("age", "emotion")
    assert arguments.wishes.upsample == 2
    assert arguments.paths == (Path("a.jpg"),)


def test_upsample_and_min_face_exclude_each_other_across_the_command_word(capsys):
    assert "--min-face" in usage_error(capsys, "--upsample", "1", "image", "a.jpg", "--min-face", "60")


def test_defaults_leave_everything_to_the_server():
    wishes = parse(["image", "a.jpg"], {}).wishes
    options = wishes.options(auto_upsample=None)
    assert (options.upsample_times, options.min_face_px, options.threshold) == (None, None, None)
    assert (options.max_faces, options.attributes) == (None, None)


def test_drawing_style():
    assert parse(["image", "a.jpg"], {}).style == DrawingStyle(PanelMode.EACH, Blur.NONE)
    style = parse(["--panel", "largest", "image", "a.jpg", "--blur", "all"], {}).style
    assert style == DrawingStyle(PanelMode.LARGEST, Blur.ALL)


def test_auto_upsampling_of_videos_is_one_doubling_and_their_default_none():
    assert parse(["video", "a", "--jsonl", "b"], {}).wishes.options(auto_upsample=1).upsample_times is None
    explicit = parse(["video", "a", "--jsonl", "b", "--upsample", "auto"], {})
    assert explicit.wishes.options(auto_upsample=1).upsample_times == 1


@pytest.mark.parametrize(("text", "names"), [("all", None), ("none", ()), ("age", ("age",)), ("a, b,a", ("a", "b"))])
def test_attributes(text, names):
    assert parse(["image", "x", "--attributes", text], {}).wishes.attributes == names


def test_server_and_token_come_from_the_environment_and_flags_win():
    environment = {"FACED_SERVER": "env:1", "FACED_TOKEN": "secret"}
    assert parse(["status"], environment).connection.server == "env:1"
    assert parse(["status"], environment).connection.token == "secret"
    assert parse(["status", "--server", "flag:2"], environment).connection.server == "flag:2"
    assert parse(["status"], {"FACED_SERVER": ""}).connection.server is None


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "COMMAND"),
        (["image"], "PATH"),
        (["image", "x", "--upsample", "-1"], "--upsample"),
        (["image", "x", "--upsample", "1.5"], "--upsample"),
        (["image", "x", "--threshold", "nan"], "--threshold"),
        (["image", "x", "--max-faces", "0"], "--max-faces"),
        (["image", "x", "--attributes", "age,,"], "--attributes"),
        (["video", "x", "--jsonl", "y", "--encode", "jpeg:101"], "--encode"),
        (["video", "x"], "-o OUT.mp4"),
        (["status", "--tls-cert", "c.pem"], "--tls-key"),
        (["status", "--tls-ca", "c.pem"], "--server"),
        (["image", "x", "--colour"], "--colour"),
        (["status", "--server", ""], "--server"),
        (["image", "x", "--\x1b[31m"], r"--\x1b[31m"),
    ],
)
def test_usage_errors_name_the_flag(capsys, argv, told):
    assert told in usage_error(capsys, *argv)


@pytest.mark.parametrize(
    ("text", "sent"), [("raw", "raw"), ("png", "png"), ("jpeg:80", "jpeg:80"), ("jpeg", "jpeg:95")]
)
def test_encode(text, sent):
    assert parse(["video", "x", "--jsonl", "y", "--encode", text], {}).encode == sent


def test_many_videos_on_ray_go_into_one_folder_of_parquet_files(capsys):
    files = parse(["video", "a", "--engine", "ray", "--parquet", "set", "--ray-gpus", "0.5"], {}).files
    assert (files.on_ray, files.parquet, files.ray_gpus) == (True, Path("set"), 0.5)
    for more in ([], ["--parquet", "set", "-o", "b.mp4"], ["--jsonl", "-"]):
        words = usage_error(capsys, "video", "a", "--engine", "ray", *(more or ["--summary", "page.html"]))
        assert "--parquet FOLDER is the output, and the only one" in words
    assert "--ray-gpus is for --engine ray" in usage_error(capsys, "video", "a", "--parquet", "b", "--ray-gpus", "1")
