import csv
import io
import json
import signal
import subprocess
import sys
import time

import av
import cv2
import numpy as np
import pytest


def rows_of(path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_annotated_video_and_a_row_for_each_frame(cli, clip, tmp_path):
    out, rows_path = tmp_path / "out.mp4", tmp_path / "rows.jsonl"
    code, text, err = cli("video", clip, "-o", out, "--jsonl", rows_path)
    assert (code, err) == (0, "")
    summary, head, track = text.splitlines()
    assert summary.startswith(f"{clip}: 24 frames, 24 faces, 1 track, ")
    assert summary.endswith(f"-> {out}, {rows_path}")
    assert head.split() == ["track", "from", "to", "seen", "emotions,", "gender,", "age"]
    assert track.split()[:8] == ["#1", "0:00.0", "0:01.0", "1.0", "s", "happy", "1.0", "s,"]
    assert max(len(head), len(track)) <= 80
    assert not list(tmp_path.glob("*.journal"))
    rows = rows_of(rows_path)
    assert [row["frame"] for row in rows] == list(range(24))
    assert [row["time_s"] for row in rows] == pytest.approx([0.04 * i for i in range(24)], abs=1e-6)
    assert {len(row["faces"]) for row in rows} == {1}
    assert {row["applied_scale"] for row in rows} == {1.0}
    assert {row["faces"][0]["track_id"] for row in rows} == {1}
    for name in ("emotion", "gender", "age", "age_group"):
        told = [row["faces"][0]["attributes"][name] for row in rows]
        assert all(list(value["raw"]["probabilities"]) == list(value["probabilities"]) for value in told)
        smooth, raw = (
            [max(v["probabilities"].values()) for v in values] for values in (told, [v["raw"] for v in told])
        )
        assert np.abs(np.diff(smooth)).sum() < np.abs(np.diff(raw)).sum()
    moved = rows[20]["faces"][0]["box"]["left"] - rows[0]["faces"][0]["box"]["left"]
    assert moved == pytest.approx(40, abs=12)
    with av.open(str(clip)) as before, av.open(str(out)) as after:
        assert after.streams.video[0].codec_context.name == "h264"
        assert after.duration == before.duration
        pictures = [frame.to_ndarray(format="rgb24") for frame in after.decode(video=0)]
        sources = [frame.to_ndarray(format="rgb24") for frame in before.decode(video=0)]
    assert len(pictures) == 24
    for i in (0, 12, 23):
        box = rows[i]["faces"][0]["box"]
        edge = pictures[i][int(box["top"]) + 10 : int(box["bottom"]) - 10, int(box["left"])]
        assert (edge[:, 0].astype(int) - edge[:, 2]).mean() > 60  # orange: the box is that of this frame
        assert abs(pictures[i].astype(int) - sources[i]).mean() > 10
    with av.open(str(clip)) as before, av.open(str(out)) as after:
        assert [bytes(p) for p in after.demux(audio=0)] == [bytes(p) for p in before.demux(audio=0)]


def test_rows_alone_on_standard_output(cli, clip, server):
    code, out, err = cli("video", clip, "--jsonl", "-", "--server", server, "--attributes", "none", "--encode", "raw")
    assert code == 0
    assert [json.loads(line)["frame"] for line in out.splitlines()] == list(range(24))
    assert "24 frames" in err


def test_remote_frames_as_jpeg_find_the_same_face(cli, clip, server, tmp_path):
    code, _, _ = cli("video", clip, "--jsonl", tmp_path / "jpeg.jsonl", "--server", server, "--attributes", "none")
    assert code == 0
    code, _, _ = cli("video", clip, "--jsonl", tmp_path / "raw.jsonl", "--attributes", "none")
    assert code == 0
    for one, other in zip(rows_of(tmp_path / "jpeg.jsonl"), rows_of(tmp_path / "raw.jsonl"), strict=True):
        left, right = (row["faces"][0]["box"]["left"] for row in (one, other))
        assert abs(left - right) < 20


def test_rows_say_which_frames_were_scanned_in_full(cli, clip, server, tmp_path):
    rows = tmp_path / "rows.jsonl"
    command = ("video", clip, "--jsonl", rows, "--server", server, "--attributes", "none", "--encode", "raw")
    assert cli(*command, "--scan-interval", "10")[0] == 0
    found = rows_of(rows)
    assert [row["frame"] for row in found if row["full_scan"]] == [0, 10, 20]
    assert [len(row["faces"]) for row in found] == [1] * 24
    code, _, err = cli(*command, "--scan-interval", "1001", "--force")
    assert code == 2
    assert "scan_interval is 1001, must be 1 to 1000" in err


def test_what_exists_is_kept_and_forced(cli, clip, server, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("precious")
    code, _, err = cli("video", clip, "--jsonl", rows, "--server", server)
    assert code == 2
    assert "--force" in err
    assert rows.read_text() == "precious"
    assert cli("video", clip, "--jsonl", rows, "--server", server, "--force", "--attributes", "none")[0] == 0
    assert len(rows_of(rows)) == 24


def test_bad_videos_are_bad_input_and_nothing_is_written(cli, server, tmp_path):
    out = tmp_path / "out.mp4"
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    empty = tmp_path / "empty"
    empty.mkdir()
    for source in (tmp_path / "missing.mp4", text, empty):
        code, _, err = cli("video", source, "-o", out, "--server", server)
        assert code == 3
        assert err.startswith(f"faced-cli: {source}: ")
        assert not out.exists()
    assert cli("video", text, "-o", tmp_path / "none" / "out.mp4", "--server", server)[0] == 3


def test_full_disk_keeps_the_rows(cli, clip, server, tmp_path):
    full, rows = tmp_path / "out.mp4", tmp_path / "rows.jsonl"
    full.symlink_to("/dev/full")
    code, _, err = cli(
        "video", clip, "-o", full, "--jsonl", rows, "--server", server, "--force", "--attributes", "none"
    )
    assert code == 3
    assert err.count("no space left") == 1
    assert all(row["faces"] for row in rows_of(rows))


def test_server_that_is_not_there(cli, clip, tmp_path):
    code, _, err = cli("video", clip, "-o", tmp_path / "out.mp4", "--server", "127.0.0.1:1")
    assert code == 4
    assert "127.0.0.1:1" in err
    assert not (tmp_path / "out.mp4").exists()


@pytest.fixture
def long_clip(head, tmp_path):
    path = tmp_path / "long.mp4"
    wide = cv2.resize(head, (640, 480))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for _ in range(600):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(wide, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_interrupt_ends_cleanly_and_keeps_what_is_finished(long_clip, server, tmp_path):
    out, rows = tmp_path / "out.mp4", tmp_path / "rows.jsonl"
    command = ["video", long_clip, "-o", out, "--jsonl", rows, "--server", server, "--attributes", "none"]
    with subprocess.Popen([sys.executable, "-m", "faced_cli.main", *command], stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 60
        while not (rows.exists() and rows.read_bytes().count(b"\n") >= 20):
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        err = process.stderr.read().decode()
    assert process.returncode == 130
    assert err == "faced-cli: interrupted\n"
    done = rows_of(rows)
    assert 20 <= len(done) < 600
    with av.open(str(out)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert abs(frames - len(done)) <= 1
    assert np.all([row["faces"] for row in done])


def test_every_third_frame_is_analysed_and_its_boxes_stay(cli, clip, server, tmp_path):
    out, rows_path = tmp_path / "out.mp4", tmp_path / "rows.jsonl"
    command = ("video", clip, "-o", out, "--jsonl", rows_path, "--server", server, "--encode", "raw", "--every", "3")
    code, text, err = cli(*command, "--panel", "none", "--attributes", "emotion")
    assert (code, err) == (0, "")
    rows = rows_of(rows_path)
    assert [row["frame"] for row in rows] == list(range(0, 24, 3))
    assert {row["faces"][0]["track_id"] for row in rows} == {1}
    assert "8 frames, 8 faces, 1 track" in text
    assert "#1     0:00.0     0:01.0     1.0 s" in text
    with av.open(str(out)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 24
    for i, picture in enumerate(pictures):
        box = rows[i // 3]["faces"][0]["box"]
        edge = picture[int(box["top"]) + 10 : int(box["bottom"]) - 10, int(box["left"])]
        assert (edge[:, 0].astype(int) - edge[:, 2]).mean() > 60


def test_an_interval_longer_than_the_video_and_than_what_is_held(cli, long_clip, server, tmp_path):
    rows = tmp_path / "rows.jsonl"
    command = ("video", long_clip, "-o", tmp_path / "out.mp4", "--jsonl", rows, "--server", server)
    assert cli(*command, "--attributes", "none", "--every", "400")[0] == 0
    assert [row["frame"] for row in rows_of(rows)] == [0, 400]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].frames == 600


def test_without_tracks_frames_are_on_their_own(cli, clip, server, tmp_path):
    rows = tmp_path / "rows.jsonl"
    command = ("video", clip, "--jsonl", rows, "--server", server, "--attributes", "emotion", "--force")
    assert cli(*command, "--no-track")[0] == 0
    faces = [row["faces"][0] for row in rows_of(rows)]
    assert {face["track_id"] for face in faces} == {None}
    assert not any("raw" in face["attributes"]["emotion"] for face in faces)
    assert cli(*command, "--half-life", "0")[0] == 0
    faces = [row["faces"][0] for row in rows_of(rows)]
    assert {face["track_id"] for face in faces} == {1}
    assert not any("raw" in face["attributes"]["emotion"] for face in faces)


def test_rows_as_csv_on_standard_output(cli, clip, server):
    code, out, err = cli("video", clip, "--csv", "-", "--server", server, "--attributes", "emotion")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [int(row["frame"]) for row in rows] == list(range(24))
    assert {row["emotion"] for row in rows} == {"happy"}
    assert "24 frames" in err
