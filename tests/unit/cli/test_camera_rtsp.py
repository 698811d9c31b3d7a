"""Against a small RTSP server of the tests' own: it asks for a password, plays, and falls silent."""

from __future__ import annotations

import base64
import contextlib
import io
import socketserver
import struct
import threading
import time
from collections.abc import Iterator

import av
import numpy as np
import pytest

from faced_cli import camera_url
from faced_cli.cameras import open_camera
from faced_cli.errors import InputError

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"
ANSWERS = {
    "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n",
    "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}",
    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n",
    "PLAY": "Session: 1\r\n\r\n",
}
SECONDS = 3


@pytest.fixture(scope="module")
def transport_stream() -> bytes:
    """H.264 in MPEG-TS: 64x48 px, 25 frames/s, grey 8 * i."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=25, options={"tune": "zerolatency", "g": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(25 * SECONDS):
            picture = np.full((48, 64, 3), 8 * i % 240, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


class RtspCamera(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.content = content
        self.plays = 0
        self.torn_down = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class _Session(socketserver.StreamRequestHandler):
    server: RtspCamera

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._serve()

    def _serve(self) -> None:
        while request := self._request():
            method, headers = request
            head = f"CSeq: {headers.get('CSeq', '0')}\r\n"
            password = headers.get("Authorization", "").removeprefix("Basic ")
            if method == "DESCRIBE" and base64.b64decode(password) != b"joe:geheim":
                self._send(f'RTSP/1.0 401 Unauthorized\r\n{head}WWW-Authenticate: Basic realm="x"\r\n\r\n')
                continue
            if method == "TEARDOWN":
                self.server.torn_down.set()
            self._send(f"RTSP/1.0 200 OK\r\n{head}{ANSWERS.get(method, chr(13) + chr(10))}")
            if method == "PLAY":
                self.server.plays += 1
                threading.Thread(target=self._play, daemon=True).start()

    def _request(self) -> tuple[str, dict[str, str]] | None:
        first = self.rfile.read(1)
        while first == b"$":  # RTCP of the client's
            self.rfile.read(int.from_bytes(self.rfile.read(3)[1:], "big"))
            first = self.rfile.read(1)
        line = first + self.rfile.readline()
        headers = {}
        while (header := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = header.partition(": ")
            headers[name] = value
        return (line.decode("latin-1").split(" ")[0], headers) if line else None

    def _play(self) -> None:
        """Once through, at its own rate; then silence on an open connection."""
        content, step = self.server.content, 7 * 188
        begun = time.monotonic()
        for number, start in enumerate(range(0, len(content), step)):
            due = SECONDS * start / len(content)
            time.sleep(max(0.0, begun + due - time.monotonic()))
            packet = struct.pack(">BBHII", 0x80, 33, number, round(90_000 * due), 7) + content[start : start + step]
            try:
                self.connection.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            except OSError:
                return

    def _send(self, text: str) -> None:
        self.connection.sendall(text.encode())


@pytest.fixture
def camera(transport_stream, monkeypatch) -> Iterator[RtspCamera]:
    monkeypatch.setattr(camera_url, "_READ_S", 1.0)
    with RtspCamera(transport_stream) as server:
        yield server
        server.shutdown()


def test_stream_with_a_password_is_read_and_taken_up_again_when_it_stalls(camera):
    port = camera.server_address[1]
    source = open_camera(f"rtsp://joe:geheim@127.0.0.1:{port}/live")
    assert source.name == f"rtsp://***@127.0.0.1:{port}/live"
    source.start()
    end, frames, notices = time.monotonic() + 40, [], set()
    while camera.plays < 3:
        assert time.monotonic() < end
        frame = source.newest.take(timeout=0.05)
        notices.add(source.notice)
        if frame is not None:
            frames.append(frame)
    source.close()
    assert len(frames) > 40
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert any("reconnecting in 0.5 s" in notice for notice in notices)
    assert not any("geheim" in notice for notice in notices)


def test_leaving_tears_the_session_down(camera):
    source = open_camera(f"rtsp://joe:geheim@127.0.0.1:{camera.server_address[1]}/live")
    source.start()
    assert source.newest.take(timeout=10) is not None
    source.close()
    assert camera.torn_down.wait(5)


def test_wrong_password_is_told_without_it(camera):
    port = camera.server_address[1]
    with pytest.raises(InputError) as told:
        open_camera(f"rtsp://joe:falsch@127.0.0.1:{port}/live")
    assert str(told.value).startswith(f"rtsp://***@127.0.0.1:{port}/live: cannot be opened (")
    assert "falsch" not in str(told.value)
