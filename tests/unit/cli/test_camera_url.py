"""Against real servers on the loopback: cameras that answer, break, fall silent and come back."""

from __future__ import annotations

import base64
import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from faced_cli import camera_url
from faced_cli.camera_url import CameraUrl, redacted
from faced_cli.cameras import open_camera
from faced_cli.errors import InputError


class MjpegCamera(http.server.ThreadingHTTPServer):
    """Grey pictures as MJPEG, each lighter by 8; `pictures` a connection, then it breaks, or falls silent."""

    daemon_threads = True

    def __init__(self, port: int = 0, *, pictures: int = 10_000, silent: bool = False, asks: bool = False) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.pictures, self.silent, self.asks = pictures, silent, asks
        self.connections = 0
        self.authorizations: list[str | None] = []
        self.going = threading.Event()
        self.going.set()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def end(self) -> None:
        self.going.clear()
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: MjpegCamera

    def do_GET(self) -> None:
        self.server.connections += 1
        self.server.authorizations.append(self.headers.get("Authorization"))
        if self.server.asks and self.server.authorizations[-1] is None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(OSError):
            for i in range(self.server.pictures):
                if not self.server.going.is_set():
                    return
                picture = np.full((48, 64, 3), 8 * i % 240, np.uint8)
                jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                time.sleep(0.02)
            while self.server.silent and self.server.going.is_set():
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cameras(monkeypatch) -> Iterator[contextlib.ExitStack]:
    monkeypatch.setattr(camera_url, "_READ_S", 1.0)
    with contextlib.ExitStack() as stack:
        yield stack


def start(stack: contextlib.ExitStack, **how: object) -> MjpegCamera:
    camera = MjpegCamera(**how)
    stack.callback(camera.end)
    return camera


def test_http_camera_with_password_plays_and_is_never_named_with_it(cameras):
    camera = start(cameras, asks=True)
    source = open_camera(f"http://joe:geheim@127.0.0.1:{camera.port}/video?token=secret")
    cameras.callback(source.close)
    assert source.name == f"http://***@127.0.0.1:{camera.port}/video?***"
    source.start()
    frames = [source.newest.take(timeout=5) for _ in range(5)]
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    assert frames[0].image.shape == (48, 64, 3)
    assert base64.b64decode(camera.authorizations[-1].removeprefix("Basic ")) == b"joe:geheim"


def test_stream_that_breaks_is_opened_again(cameras):
    camera = start(cameras, pictures=12)
    source = open_camera(f"http://127.0.0.1:{camera.port}/")
    cameras.callback(source.close)
    source.start()
    end, last, notices = time.monotonic() + 20, -1, set()
    while camera.connections < 4:
        assert time.monotonic() < end
        frame = source.newest.take(timeout=0.1)
        notices.add(source.notice)
        if frame is not None:
            assert frame.index > last
            last = frame.index
    assert last >= 12
    assert any(notice.startswith("reconnecting in 0.5 s (") for notice in notices)


def test_stream_that_falls_silent_is_opened_again(cameras):
    camera = start(cameras, pictures=12, silent=True)
    source = open_camera(f"http://127.0.0.1:{camera.port}/")
    cameras.callback(source.close)
    source.start()
    end = time.monotonic() + 20
    while camera.connections < 3:
        assert time.monotonic() < end
        source.newest.take(timeout=0.1)


def test_camera_that_comes_back_is_found_and_pauses_grow(cameras, monkeypatch):
    monkeypatch.setattr(camera_url, "_FIRST_PAUSE_S", 0.1)
    camera = start(cameras, pictures=12)
    source = open_camera(f"http://a:b@127.0.0.1:{camera.port}/")
    cameras.callback(source.close)
    source.start()
    assert source.newest.take(timeout=5) is not None
    camera.end()
    end, seen = time.monotonic() + 20, []
    while not source.notice.startswith("reconnecting in 0.8"):
        assert time.monotonic() < end
        source.newest.take(timeout=0.02)
        if source.notice not in seen:
            seen.append(source.notice)
    assert not any("a:b" in notice or "127.0.0.1" in notice for notice in seen)
    assert any("refused" in notice for notice in seen)
    start(cameras, port=camera.port)
    while source.newest.take(timeout=0.1) is None:
        assert time.monotonic() < end
    assert source.notice == ""


def test_nobody_there_is_told_at_once_without_the_password():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(InputError) as told:
            CameraUrl(f"rtsp://joe:geheim@127.0.0.1:{port}/live")
    assert str(told.value) == f"rtsp://***@127.0.0.1:{port}/live: cannot be opened (connection refused)"
    assert told.value.__cause__ is None


def test_server_that_accepts_and_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(camera_url, "_OPEN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(InputError, match="live: does not answer"):
            CameraUrl(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live")
        assert time.monotonic() - begun < 5


def test_video_file_on_a_server_plays_at_its_own_rate_and_ends(cameras, make_video):
    path = make_video("in.mkv", pts=tuple(range(0, 600, 40)))
    handler = lambda *args: http.server.SimpleHTTPRequestHandler(*args, directory=str(path.parent))  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        feed = CameraUrl(f"http://127.0.0.1:{server.server_address[1]}/{path.name}")
        begun = time.monotonic()
        times = [time_s for _, time_s in feed.pictures(threading.Event())]
        taken = time.monotonic() - begun
        feed.close()
        server.shutdown()
    assert times == pytest.approx([0.04 * i for i in range(15)], abs=1e-3)
    assert 0.5 < taken < 5


class _BreakingFile(http.server.BaseHTTPRequestHandler):
    """A file, whole or (as often as `server.breaks` says, -1 = always) its first part, after which it breaks off."""

    def do_GET(self) -> None:
        whole, breaks = self.server.content, self.server.breaks != 0
        self.server.breaks -= breaks
        self.server.connections += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(whole[: len(whole) * 6 // 10] if breaks else whole)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def breaking_file(cameras, make_video, monkeypatch):
    """Serves 75 frames, 3 s, of equal sizes, so that some come before it breaks."""
    monkeypatch.setattr(camera_url, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(camera_url, "_LONGEST_PAUSE_S", 0.4)
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    server = cameras.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), _BreakingFile))
    cameras.callback(server.shutdown)
    path = make_video(
        "in.mp4",
        pts=tuple(range(0, 3000, 40)),
        width=320,
        height=240,
        picture=noise,
        codec="mjpeg",
        pix_fmt="yuvj420p",
        faststart=True,
    )
    server.content, server.connections, server.breaks = path.read_bytes(), 0, 0
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def test_video_file_that_breaks_off_goes_on_where_it_was(breaking_file):
    breaking_file.breaks = 2
    feed = CameraUrl(f"http://127.0.0.1:{breaking_file.server_address[1]}/in.mp4")
    times = [time_s for _, time_s in feed.pictures(threading.Event())]
    assert breaking_file.connections == 3
    assert times == pytest.approx([0.04 * i for i in range(75)], abs=1e-3)


def test_video_file_that_is_gone_for_good_ends(breaking_file):
    breaking_file.breaks = -1
    feed = CameraUrl(f"http://127.0.0.1:{breaking_file.server_address[1]}/in.mp4")
    times = []
    with pytest.raises(InputError, match=r"in\.mp4: cannot be read behind 1\.\d s \("):
        times.extend(time_s for _, time_s in feed.pictures(threading.Event()))
    assert times == pytest.approx([0.04 * i for i in range(len(times))], abs=1e-3)
    assert 10 < len(times) < 75
    assert feed.notice.startswith("reconnecting in 0.2 s (")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://cam:554/live", "rtsp://cam:554/live"),
        ("rtsp://u:p@cam:554/live", "rtsp://***@cam:554/live"),
        ("rtsp://u:p@ss@cam/live", "rtsp://***@cam/live"),
        ("rtsp://u:p/a?s#s@cam/live", "rtsp://***@cam/live"),
        ("http://cam/a?password=x", "http://cam/a?***"),
        ("http://cam/a?mail=u@x&password=y", "http://***@x&password=y"),
        ("http://[::1]:80/a#key", "http://[::1]:80/a"),
    ],
)
def test_what_is_shown_of_an_address(url, shown):
    assert redacted(url) == shown
