"""Callers of the camera socket that send too much, read too little, or are too many: the others go on."""

import asyncio
import json
import os
import resource
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress

import pytest

from faced_service.web.listener import bound_socket
from tests.process import resident_mb


def test_a_huge_picture_ends_its_socket_and_no_other(web_serving, camera_of, face_jpeg):
    with (
        web_serving(max_message_bytes=50_000) as (url, _),
        camera_of(url, {}) as rude,
        camera_of(url, {}) as other,
    ):
        assert (rude.hear()["type"], other.hear()["type"]) == ("started", "started")
        rude.send(b"x" * 60_000)
        assert rude.end() == 1009
        other.send(face_jpeg)
        assert len(other.hear()["faces"]) == 1


def test_sockets_that_say_nothing_leave_places_for_others(web_serving, camera_of, face_jpeg):
    with web_serving(max_streams=4, streams_per_caller=3) as (url, _), camera_of(url, {}) as good, ExitStack() as stack:
        assert good.hear()["type"] == "started"
        silent = [stack.enter_context(camera_of(url)) for _ in range(3)]
        with camera_of(url, {}) as refused:
            refusal = refused.hear()
            assert (refusal["error"], refused.end()) == ("overloaded", 4503)
            assert "without a start" in refusal["message"]
        for camera in silent[:2]:
            camera.say({})
            assert camera.hear()["type"] == "started"
        silent[2].say({})
        refusal = silent[2].hear()
        assert (refusal["error"], silent[2].end()) == ("quota", 4429)
        assert refusal["retry_after_s"] > 0
        good.send(face_jpeg)
        assert len(good.hear()["faces"]) == 1


def test_a_thousand_sockets_at_once_are_refused_by_name_and_disturb_nobody(web_serving, camera_of, face_jpeg):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 < hard < 2500:
        pytest.skip(f"both ends of a thousand sockets are more files than this process may open ({hard})")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2500), hard))
    with web_serving(max_streams=4, streams_per_caller=3) as (url, _), camera_of(url, {}) as good:
        assert good.hear()["type"] == "started"
        crowd = threading.Thread(target=lambda: answers.extend(asyncio.run(first_words(url, 1000))))
        answers = []
        crowd.start()
        waits = []
        while crowd.is_alive():
            begun = time.monotonic()
            good.send(face_jpeg)
            assert len(good.hear()["faces"]) == 1
            waits.append(time.monotonic() - begun)
        assert len(answers) == 1000
        counts = Counter(answers)
        assert counts["started"] == 2
        assert set(counts) <= {"started", "503 overloaded", "overloaded", "quota"}
        assert counts["503 overloaded"] > 400
        assert max(waits) < 5
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def first_words(url, sockets):
    """What each of so many sockets, opened at once and kept open, is told first."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    everybody = asyncio.Barrier(sockets)

    async def one():
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                writer.write(handshake(host, port))
                head = await reader.readuntil(b"\r\n\r\n")
                if b" 101 " not in head.partition(b"\r\n")[0]:
                    body = json.loads(await reader.read())
                    return f"{head[9:12].decode()} {body['error']}"
                writer.write(frame(1, b'{"type": "start"}'))
                size = (await reader.readexactly(2))[1]
                if size == 126:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                told = json.loads(await reader.readexactly(size))
                return told.get("error", told["type"])
            return "cut off"
        finally:
            await everybody.wait()
            writer.close()

    return await asyncio.gather(*(one() for _ in range(sockets)))


def test_a_socket_that_says_nothing_is_ended(web_serving, camera_of):
    with web_serving(upload_timeout_s=0.3) as (url, _), camera_of(url) as camera:
        assert camera.hear()["error"] == "deadline"
        assert camera.end() == 4504


def test_a_socket_that_never_reads_is_cut_off_and_disturbs_nobody(
    web_serving, camera_of, face_jpeg, monkeypatch, wait_for
):
    monkeypatch.setattr("faced_service.web.guard._PATIENCE_S", 1.0)

    def with_small_buffers(*address, **wishes):
        # The system would keep megabytes of answers for it, on both sides.
        place = bound_socket(*address, **wishes)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return place

    monkeypatch.setattr("faced_service.web.listener.bound_socket", with_small_buffers)
    with web_serving() as (url, metrics):

        def streams():
            return metrics.registry.get_sample_value("faced_streams")

        host, port = url.removeprefix("http://").rstrip("/").split(":")
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.connect((host, int(port)))
        deaf.settimeout(0.5)
        deaf.sendall(handshake(host, port))
        deaf.recv(1)
        deaf.sendall(frame(1, b'{"type": "start"}'))
        stop = threading.Event()

        def pester():
            # Refusals cost the server little and make it write much.
            junk = frame(2, b"hello") * 1000
            sent = 0
            while not stop.is_set():
                try:
                    sent = (sent + deaf.send(junk[sent:])) % len(junk)
                except TimeoutError:
                    continue
                except OSError:
                    return

        pest = threading.Thread(target=pester)
        pest.start()
        try:
            with camera_of(url, {}) as other:
                assert other.hear()["type"] == "started"
                other.send(face_jpeg)
                assert len(other.hear()["faces"]) == 1
            pest.join(60)
            assert not pest.is_alive()
            assert wait_for(lambda: streams() == 0)
        finally:
            stop.set()
            pest.join()
            deaf.close()


def test_pings_whose_answers_nobody_reads_cost_no_memory(page, camera_of, face_jpeg):
    with opened(page) as deaf:
        junk, before = frame(9, b"x" * 125) * 1000, resident_mb(os.getpid())
        for _ in range(200):
            deaf.sendall(junk)
        # 26 MB of pings; what the system holds back is not held here.
        assert resident_mb(os.getpid()) - before < 8
    with camera_of(page, {}) as camera:
        camera.hear()
        camera.send(face_jpeg)
        assert len(camera.hear()["faces"]) == 1


def test_fragments_without_end_are_ended(page):
    with opened(page) as rude:
        with suppress(OSError):
            rude.sendall(bytes([0x01, 0x80, 0, 0, 0, 0]) + bytes([0x00, 0x80, 0, 0, 0, 0]) * 100_000)
        heard = b""
        with suppress(OSError):
            while more := rude.recv(65536):
                heard += more
        assert b"more than 1024 fragments" in heard


def test_before_it_is_known_who_calls_a_message_is_short(web_serving, camera_of, tmp_path):
    (tmp_path / "tokens").write_text("door:t0k-door\n")
    with web_serving(token_file=tmp_path / "tokens") as (url, _), camera_of(url) as camera:
        camera.send(json.dumps({"type": "start", "token": "x" * 70_000}))
        assert camera.end() == 1009


@contextmanager
def opened(page):
    """A bare socket, just after the handshake."""
    host, port = page.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), 10) as bare:
        bare.sendall(handshake(host, port))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += bare.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield bare


def handshake(host, port):
    return (
        f"GET /v1/stream HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def frame(opcode, payload):
    """A masked WebSocket frame; the mask is 0."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + size + bytes(4) + payload
