"""Embedded, remote and SDK: the same numbers, to the last digit, on the same bytes."""

import json
import re
from pathlib import Path

import pytest

from faced_cli.render import analysis_object
from faced_client import Client
from tests.e2e.conftest import faced_cli

README = Path(__file__).resolve().parents[2] / "README.md"


def without_times(reply: dict) -> dict:
    return {name: value for name, value in reply.items() if name != "timing_ms"}


def test_embedded_remote_and_sdk_give_the_same_numbers(served, photo):
    embedded = without_times(json.loads(faced_cli("image", photo, "--json").stdout))
    remote = without_times(json.loads(faced_cli("--server", served, "image", photo, "--json").stdout))
    with Client(served) as client:
        sdk = without_times(analysis_object(str(photo), client.analyze(str(photo))))
    assert len(embedded["faces"]) == 1
    assert list(embedded["faces"][0]["attributes"]) == ["emotion", "gender", "age", "age_group"]
    assert embedded == remote
    assert embedded == sdk


def test_the_readmes_python_runs_and_prints_a_face(served, photo, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    monkeypatch.chdir(photo.parent)
    monkeypatch.setenv("FACED_SERVER", served)
    exec(compile(code.replace('"localhost:50051"', ""), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "happy" in printed
    assert re.search(r"\b3[0-9]\b", printed), printed


@pytest.mark.data
def test_the_clip_gives_two_faces_in_nearly_every_frame(data_dir, tmp_path):
    rows_file, video = tmp_path / "rows.jsonl", tmp_path / "out.mp4"
    faced_cli("video", data_dir / "video" / "two-people.mp4", "-o", video, "--jsonl", rows_file)
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(224))
    assert sum(len(row["faces"]) == 2 for row in rows) >= 220

    import av

    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        assert sum(1 for _ in container.decode(video=0)) == 224
