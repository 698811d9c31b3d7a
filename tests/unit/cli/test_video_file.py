import subprocess
import sys
import textwrap
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from faced_cli.errors import InputError
from faced_cli.frames import VideoSource
from faced_cli.partial_video import partial_video
from faced_cli.video_file import VideoFile


def copied(source_path: Path, target: Path) -> tuple[str, ...]:
    with VideoSource(source_path) as source, VideoFile(target, source.form) as video:
        for frame in source.frames():
            video.write(frame, frame.image)
        video.finish()
        return video.notes


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def audio_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(audio=0) if p.size]


def test_h264_with_the_same_frames_rate_and_duration(make_video, tmp_path):
    source, target = make_video(), tmp_path / "out.mp4"
    assert copied(source, target) == ()
    with av.open(str(source)) as before, av.open(str(target)) as after:
        one, other = before.streams.video[0], after.streams.video[0]
        assert (other.codec_context.name, other.pix_fmt, other.frames) == ("h264", "yuv420p", 10)
        assert (other.width, other.height, other.average_rate) == (64, 48, 25)
        assert other.duration * other.time_base == one.duration * one.time_base == Fraction(4, 10)
        assert before.duration == after.duration
        levels = [frame.to_ndarray(format="rgb24").mean() for frame in after.decode(other)]
    assert times(target) == times(source)
    assert levels == pytest.approx([8 * i for i in range(10)], abs=2)


def test_variable_frame_rate_is_kept(make_video, tmp_path):
    source = make_video(pts=(0, 40, 50, 300, 310, 1000))
    copied(source, tmp_path / "out.mp4")
    assert times(tmp_path / "out.mp4") == pytest.approx(times(source), abs=1e-6)


@pytest.mark.parametrize("codec", ["aac", "libmp3lame"])
def test_sound_is_copied_byte_for_byte(make_video, tmp_path, codec):
    source, target = make_video(pts=tuple(range(0, 3000, 40)), audio=codec), tmp_path / "out.mp4"
    assert copied(source, target) == ()
    assert audio_packets(target) == audio_packets(source)
    assert times(target) == times(source)


def test_sound_that_mp4_cannot_carry_becomes_aac(make_video, tmp_path):
    source, target = make_video("in.mkv", pts=tuple(range(0, 3000, 40)), audio="pcm_s16le"), tmp_path / "out.mp4"
    assert copied(source, target) == ("MP4 cannot carry pcm_s16le sound: it is encoded as AAC",)
    with av.open(str(target)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert len(samples) == pytest.approx(3 * 44100, rel=0.02)
    middle = samples[44100 : 2 * 44100]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(440, abs=2)  # Hz: the tone of the source
    assert middle.std() == pytest.approx(20000 / 32768 / 2**0.5, rel=0.05)


def test_odd_sizes_get_one_more_row_and_column(make_video, tmp_path):
    picture = np.random.default_rng(0).integers(90, 110, (47, 63, 3), dtype=np.uint8)
    source = make_video("odd.mkv", width=63, height=47, codec="ffv1", pix_fmt="yuv444p", picture=picture)
    copied(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert frame.shape == (48, 64, 3)
    assert abs(frame[:47, :63].astype(int) - picture).mean() < 8


def test_turned_video_is_written_upright(make_video, tmp_path):
    copied(make_video(turn=90), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)


@pytest.mark.parametrize("matrix", [1, 5])
def test_colours_survive(make_video, tmp_path, matrix):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:] = (200, 60, 30)
    source = tmp_path / "colour.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = matrix
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix)))
        container.mux(stream.encode(None))
    copied(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert frame.colorspace == matrix
        assert abs(frame.to_ndarray(format="rgb24").astype(int) - picture).max() <= 6


RUN = """
    import os, resource, signal, sys
    from pathlib import Path
    from faced_cli.errors import InputError
    from faced_cli.frames import VideoSource
    from faced_cli.video_file import VideoFile
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with VideoSource(Path(sys.argv[1])) as source, VideoFile(Path(sys.argv[2]), source.form) as video:
            for frame in source.frames():
                video.write(frame, frame.image)
                {at_each_frame}
            video.finish()
    finally:
        print(video.frames)
"""


def run(source: Path, target: Path, at_each_frame: str, limit: str = "") -> subprocess.CompletedProcess[str]:
    code = textwrap.dedent(RUN).replace("{at_each_frame}", at_each_frame).replace("try:", limit + "try:", 1)
    return subprocess.run([sys.executable, "-c", code, source, target], capture_output=True, text=True, timeout=60)


@pytest.fixture
def noisy(make_video) -> Path:
    picture = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    return make_video(width=128, height=96, pts=tuple(range(0, 10_000, 40)), picture=picture, audio="aac")


def test_killed_run_leaves_a_playable_file(noisy, tmp_path):
    target = tmp_path / "out.mp4"
    ended = run(noisy, target, "if frame.index == 220: os.kill(os.getpid(), signal.SIGKILL)")
    assert ended.returncode == -9
    found = times(target)
    assert len(found) >= 100
    assert found == pytest.approx([0.04 * i for i in range(len(found))], abs=1e-3)
    assert len(audio_packets(target)) > 100


def test_full_disk_is_told_once_and_keeps_what_was_finished(noisy, tmp_path):
    # A limit on the file's size stands for the full disk: the same failed write.
    target = tmp_path / "out.mp4"
    copied(noisy, target)
    size = target.stat().st_size * 2 // 3
    ended = run(noisy, target, "pass", f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n")
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].endswith(f"InputError: {target}: cannot be written (File too large)")
    found = times(target)
    assert 50 <= len(found) < 250
    assert ended.stdout == f"{len(found)}\n"
    assert found == pytest.approx([0.04 * i for i in range(len(found))], abs=1e-3)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_no_space_left_is_named(make_video, tmp_path):
    target = tmp_path / "out.mp4"
    target.symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"out\.mp4: no space left on the device"):
        copied(make_video(), target)


def test_without_frames_no_file_is_made(make_video, tmp_path):
    with VideoSource(make_video()) as source, VideoFile(tmp_path / "out.mp4", source.form) as video:
        video.finish()
    assert not (tmp_path / "out.mp4").exists()


def carried(source_path: Path, target: Path, most: int) -> int:
    """Goes on with the file at `target` after the frames that could be taken over."""
    before = partial_video(target)
    assert before is not None
    with VideoSource(source_path) as source, VideoFile(target, source.form) as video:
        count = video.carry_over(before, most)
        for frame in source.frames(lambda index: index >= count):
            video.write(frame, frame.image)
        video.finish()
    return count


@pytest.mark.parametrize(("killed_at", "most"), [(220, 1000), (220, 77), (30, 1000)])
def test_a_killed_run_is_taken_over_without_encoding_again(noisy, tmp_path, killed_at, most):
    target, whole = tmp_path / "out.mp4", tmp_path / "whole.mp4"
    copied(noisy, whole)
    run(noisy, target, f"if frame.index == {killed_at}: os.kill(os.getpid(), signal.SIGKILL)")
    begun = len(times(target))
    assert carried(noisy, target, most) == min(begun, most)
    assert times(target) == times(whole)
    assert audio_packets(target) == audio_packets(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "whole.mp4"]
    with av.open(str(target)) as one, av.open(str(whole)) as other:
        assert one.duration == other.duration
        for a, b in zip(one.decode(video=0), other.decode(video=0), strict=True):
            assert abs(a.to_ndarray().astype(int) - b.to_ndarray()).mean() < 4


@pytest.mark.parametrize("older", [False, True])
def test_a_slow_video_is_taken_over_from_its_first_frame_on(tmp_path, older):
    source, target, beside = tmp_path / "in.mp4", tmp_path / "out.mp4", tmp_path / "out.mp4.resumed"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(0, 240, 8):
            grey = np.full((48, 64, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    run(source, target, "if Path(sys.argv[2]).exists(): os.kill(os.getpid(), signal.SIGKILL)")
    if older:  # another run was killed while it went on
        beside.write_bytes(b"older")
    assert carried(source, target, 1000) == 1
    assert times(target) == times(source)
    assert not beside.exists()


def test_a_run_that_fails_before_its_first_frame_keeps_the_older_file(noisy, tmp_path):
    target = tmp_path / "out.mp4"
    run(noisy, target, "if frame.index == 220: os.kill(os.getpid(), signal.SIGKILL)")
    before, content = partial_video(target), target.read_bytes()
    with VideoSource(noisy) as source, VideoFile(target, source.form) as video:
        assert video.carry_over(replace(before, parameters=frozenset()), 1000) == 0
    assert target.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_soon_there_is_something_to_play(noisy, tmp_path):
    target = tmp_path / "out.mp4"
    run(noisy, target, "if frame.index == 40: os.kill(os.getpid(), signal.SIGKILL)")
    assert len(times(target)) >= 1


def test_another_encoder_is_not_taken_over(noisy, make_video, tmp_path):
    target = tmp_path / "out.mp4"
    copied(make_video("other.mp4", width=64, height=48), target)
    assert partial_video(target).width == 64
    copied(noisy, tmp_path / "whole.mp4")
    target.write_bytes(b"no video")
    assert partial_video(target) is None
    assert partial_video(tmp_path / "missing.mp4") is None


def test_a_disk_that_fills_while_going_on_keeps_the_older_file(noisy, tmp_path):
    target = tmp_path / "out.mp4"
    run(noisy, target, "if frame.index == 220: os.kill(os.getpid(), signal.SIGKILL)")
    before = times(target)
    limit = target.stat().st_size // 2
    code = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from faced_cli.frames import VideoSource
        from faced_cli.partial_video import partial_video
        from faced_cli.video_file import VideoFile
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
        target = Path(sys.argv[2])
        with VideoSource(Path(sys.argv[1])) as source, VideoFile(target, source.form) as video:
            video.carry_over(partial_video(target), 1000)
    """)
    ended = subprocess.run(
        [sys.executable, "-c", code, noisy, target, str(limit)], capture_output=True, text=True, timeout=60
    )
    assert ended.stderr.strip().splitlines()[-1].endswith(f"InputError: {target}: cannot be written (File too large)")
    assert times(target) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]
