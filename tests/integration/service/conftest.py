"""One embedded server with the real networks, and requests to it."""

import asyncio
from contextlib import contextmanager
from threading import Thread

import cv2
import grpc
import pytest

from faced_proto.v1 import image_pb2, service_pb2, service_pb2_grpc
from faced_service.embedded import EmbeddedServer
from faced_service.metrics import Metrics
from faced_service.networks import load_networks
from faced_service.server import running_server
from faced_service.settings import Settings


@pytest.fixture(scope="session")
def target():
    with EmbeddedServer() as address:
        yield address


@pytest.fixture
def channel(target):
    with grpc.insecure_channel(target, options=[("grpc.max_send_message_length", -1)]) as channel:
        yield channel


@pytest.fixture
def stub(channel):
    return service_pb2_grpc.FaceAnalysisServiceStub(channel)


@pytest.fixture(scope="session")
def networks():
    return load_networks(Settings())


@pytest.fixture(scope="session")
def serving(networks):
    """A context manager: a server with these settings on a port of loopback; gives its address and its metrics."""

    @contextmanager
    def serving(*, networks=networks, **settings):
        loop, metrics = asyncio.new_event_loop(), Metrics()
        ready, stop = loop.create_future(), asyncio.Event()

        async def serve():
            try:
                async with running_server(
                    networks, Settings(drain_grace_s=1, **settings), "127.0.0.1:0", metrics=metrics
                ) as address:
                    ready.set_result(address)
                    await stop.wait()
            except BaseException as error:
                if ready.done():
                    raise
                ready.set_exception(error)

        thread = Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        try:
            yield asyncio.run_coroutine_threadsafe(asyncio.wait_for(ready, 60), loop).result(), metrics
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()

    return serving


@pytest.fixture(scope="session")
def raw_face(astronaut):
    """Only the head: 256 x 256 pixels, small enough to be quick."""
    return raw_image(astronaut[:256, 96:352])


def raw_image(rgb):
    plane = image_pb2.Plane(data=rgb.tobytes())
    raw = image_pb2.RawImage(
        pixel_format=image_pb2.PIXEL_FORMAT_RGB24, width=rgb.shape[1], height=rgb.shape[0], planes=[plane]
    )
    return image_pb2.Image(raw=raw)


def file_image(rgb, extension):
    ok, data = cv2.imencode(extension, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    assert ok
    return image_pb2.Image(encoded=data.tobytes())


@pytest.fixture(scope="session")
def as_raw():
    return raw_image


@pytest.fixture(scope="session")
def as_file():
    return file_image


@pytest.fixture
def failure():
    """The status and the reason of a call that fails."""

    def of(call, *arguments, **options):
        def whole():
            answer = call(*arguments, **options)
            return answer if isinstance(answer, service_pb2.AnalyzeResponse) else list(answer)

        with pytest.raises(grpc.RpcError) as caught:
            whole()
        metadata = dict(caught.value.trailing_metadata() or ())
        return caught.value.code(), metadata.get("faced-reason"), caught.value.details()

    return of
