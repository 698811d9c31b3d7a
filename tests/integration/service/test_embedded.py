import asyncio
import stat
import tempfile
import threading
from pathlib import Path

import grpc
import pytest

from faced_models.errors import DeviceError
from faced_proto.v1 import service_pb2, service_pb2_grpc
from faced_service.embedded import EmbeddedServer
from faced_service.settings import Settings, SettingsError

INFO = service_pb2.GetServerInfoRequest()


def servers():
    """How many embedded servers run in this process; other tests keep one."""
    return [thread.name for thread in threading.enumerate()].count("faced-server")


def test_it_leaves_nothing_behind():
    before = servers()
    with EmbeddedServer() as target:
        assert servers() == before + 1
        socket = Path(target.removeprefix("unix:"))
        assert socket.is_socket()
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert not socket.parent.exists()
    assert servers() == before
    with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
        service_pb2_grpc.FaceAnalysisServiceStub(channel).GetServerInfo(INFO, timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (Settings(device="cuda:7"), DeviceError),
        (Settings(allowed_attributes=("mood",)), SettingsError),
    ],
)
def test_what_prevents_the_start_is_raised_to_the_caller(settings, error):
    before = servers()
    with pytest.raises(error), EmbeddedServer(settings):
        pass
    assert servers() == before


def test_a_long_temporary_folder_falls_back_to_the_loopback(tmp_path, monkeypatch):
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with EmbeddedServer() as target, grpc.insecure_channel(target) as channel:
        assert target.startswith("127.0.0.1:")
        assert int(target.rpartition(":")[2]) > 0
        assert service_pb2_grpc.FaceAnalysisServiceStub(channel).GetServerInfo(INFO).version


def test_a_caller_with_its_own_event_loop_can_use_it():
    async def ask(target):
        async with grpc.aio.insecure_channel(target) as channel:
            stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
            return await asyncio.gather(*(stub.GetServerInfo(INFO) for _ in range(20)))

    with EmbeddedServer() as target:
        assert len(asyncio.run(ask(target))) == 20


def test_two_servers_live_side_by_side():
    with EmbeddedServer() as first, EmbeddedServer() as second:
        assert first != second
        for target in (first, second):
            with grpc.insecure_channel(target) as channel:
                assert service_pb2_grpc.FaceAnalysisServiceStub(channel).GetServerInfo(INFO).version
