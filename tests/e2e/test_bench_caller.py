"""The callers of `make load` against gRPC's own: what they get and give is the same."""

import asyncio
import struct

import grpc
import pytest

from faced_proto.v1 import service_pb2, service_pb2_grpc
from tests.bench.caller import Reply, calling
from tests.bench.load import ANALYZE, picture_of, request_of

LARGE = request_of(picture_of("640x480", "raw"))
"""More than a connection takes unasked."""


async def replies_of(address: str, message: bytes, calls: int = 1, **more: object) -> list[Reply]:
    async with calling(address, ANALYZE, message, **more) as caller:
        return await asyncio.gather(*(caller.call() for _ in range(calls)))


def test_answers_are_those_of_grpc(served):
    with grpc.insecure_channel(served) as channel:
        expected = service_pb2_grpc.FaceAnalysisServiceStub(channel).Analyze(LARGE)
    assert len(expected.analysis.faces) > 0
    replies = asyncio.run(replies_of(served, LARGE.SerializeToString(), calls=8))
    assert [reply.status for reply in replies] == [0] * 8
    for reply in replies:
        assert list(service_pb2.AnalyzeResponse.FromString(reply.message).analysis.faces) == list(
            expected.analysis.faces
        )


def test_a_refusal_has_its_status_and_reason_and_the_next_call_is_answered(served):
    async def both() -> tuple[Reply, Reply]:
        async with calling(served, ANALYZE, b"no message", metadata=(("x-request-id", "mine"),)) as caller:
            return await caller.call(), await caller.call()

    for reply in asyncio.run(both()):
        assert reply.status == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert reply.message == b""
        assert reply.trailers["faced-reason"] == "invalid_option"
        assert reply.trailers["x-request-id"] == "mine"


def test_the_deadline_reaches_the_server(served):
    [reply] = asyncio.run(replies_of(served, LARGE.SerializeToString(), timeout_s=0))
    assert reply.status == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]


def frame(kind: int, flags: int, number: int, payload: bytes = b"") -> bytes:
    """As RFC 9113, 4.1 has it."""
    return struct.pack(">BHBBI", 0, len(payload), kind, flags, number) + payload


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", "the connection is lost"),
        (frame(7, 0, 0, bytes(8)), "GOAWAY"),
        (frame(3, 0, 1, struct.pack(">I", 7)), "reset the call: 00000007"),
        (frame(1, 0x5, 1, b"\x00"), "index out of range"),
        (frame(1, 0x5, 1, b"\x00\x81"), "Huffman"),
        (frame(1, 0x5, 1, b"\xbe"), "that was to be empty: 62"),
        (frame(1, 0x9, 1), "flags 0x9"),
    ],
)
def test_what_is_no_answer_is_an_error(said, error):
    async def call() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(ANALYZE.encode())
            writer.write(said)
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            async with calling(f"{host}:{port}", ANALYZE, b"a message") as caller:
                with pytest.raises(ConnectionError, match=error):
                    await caller.call()
                # It is told at once, and not waited for.
                await asyncio.sleep(0.1)
                with pytest.raises(ConnectionError, match="the connection is lost"):
                    await caller.call()

    asyncio.run(call())
