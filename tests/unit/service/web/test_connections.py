"""Connections on real sockets, around an application that does not wait for bodies."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from uvicorn.server import ServerState

from faced_service.web import connections
from faced_service.web.connections import Connection

WITHIN_S = 1.0
STEP_S = 0.1
REFUSED, READ = b"POST /refused", b"POST /read"


async def application(scope, receive, send):
    """Answers `/read` when all of its body has come, everything else at once."""
    size, more = 0, scope["path"] == "/read"
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    body = b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200 if size else 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(connections, "_HEADERS_WITHIN_S", WITHIN_S)


@asynccontextmanager
async def connected():
    """A caller's reader and writer, and the connections that the server holds."""
    config = uvicorn.Config(application, lifespan="off", log_config=None, timeout_keep_alive=1)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer, state.connections
        finally:
            writer.close()


def request(line, size, body=b""):
    return line + b" HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % size + body


async def answer(reader):
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def trickle(writer, seconds):
    """A byte of a body from time to time; how many it were."""
    steps = round(seconds / STEP_S)
    for _ in range(steps):
        writer.write(b"x")
        await asyncio.sleep(STEP_S)
    return steps


@pytest.mark.parametrize("silent", [False, True], ids=["trickling", "one late byte"])
def test_a_refused_request_whose_body_still_comes_holds_its_connection_no_longer_than_headers(silent):
    async def play():
        async with connected() as (reader, writer, held):
            writer.write(request(REFUSED, 1000))
            assert (await answer(reader))[0] == 401
            trickling = asyncio.create_task(trickle(writer, STEP_S if silent else 20 * WITHIN_S))
            with suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 10 * WITHIN_S) == b""
            assert not held
            trickling.cancel()

    asyncio.run(play())


def test_a_slow_upload_that_is_waited_for_is_not_cut_off():
    async def play():
        async with connected() as (reader, writer, _):
            writer.write(request(READ, 10_000))
            sent = await trickle(writer, 2 * WITHIN_S)
            writer.write(bytes(10_000 - sent))
            assert await answer(reader) == (200, b"10000")

    asyncio.run(play())


def test_after_a_refused_request_whose_body_came_the_next_one_is_answered():
    async def play():
        async with connected() as (reader, writer, held):
            for _ in range(3):
                writer.write(request(REFUSED, 6))
                assert (await answer(reader))[0] == 401
                sent = await trickle(writer, 2 * STEP_S)
                writer.write(bytes(6 - sent))
                writer.write(request(READ, 4, b"body"))
                assert await answer(reader) == (200, b"4")
            assert held

    asyncio.run(play())
