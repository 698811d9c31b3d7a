"""One embedded server with the real networks, and requests to it."""

import asyncio
import importlib.util
from contextlib import contextmanager
from threading import Thread

import cv2
import grpc
import pytest

from faced_proto.v1 import image_pb2, service_pb2, service_pb2_grpc
from faced_service.embedded import MAX_MESSAGE_BYTES, EmbeddedServer
from faced_service.metrics import Metrics
from faced_service.networks import load_networks
from faced_service.server import running_server
from faced_service.settings import Settings
from tests.ray_server import ray_server


@pytest.fixture(scope="session")
def target():
    with EmbeddedServer() as address:
        yield address


NO_RAY = importlib.util.find_spec("ray") is None
ENGINES = [
    "grpc",
    pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.skipif(NO_RAY, reason="needs the extra ray")]),
]


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    """The address of a server, and what each call to it must carry: the contract is the same on every engine."""
    if request.param == "grpc":
        yield request.getfixturevalue("target"), ()
    else:
        with ray_server("--max-message-bytes", MAX_MESSAGE_BYTES) as server:
            yield server.address, server.metadata


@pytest.fixture(autouse=True)
def _cannot_be_on_ray(request):
    """`not_on_ray(row)` names the row of the table in docs/ray.md by which a test is excused."""
    excused = request.node.get_closest_marker("not_on_ray")
    parameters = getattr(request.node, "callspec", None)
    if excused and parameters and parameters.params.get("engine") == "ray":
        pytest.skip(f"docs/ray.md: {excused.args[0]}")


@pytest.fixture
def channel(engine):
    address, metadata = engine
    with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)]) as channel:
        yield grpc.intercept_channel(channel, WithMetadata(metadata)) if metadata else channel


class WithMetadata(grpc.UnaryUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Every call carries it."""

    def __init__(self, metadata):
        self._metadata = metadata

    def intercept_unary_unary(self, continuation, details, request):
        return continuation(self._with(details), request)

    def intercept_stream_stream(self, continuation, details, requests):
        return continuation(self._with(details), requests)

    def _with(self, details):
        return details._replace(metadata=(*(details.metadata or ()), *self._metadata))


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
    def serving(*, networks=networks, on_page=lambda _url: None, **settings):
        loop, metrics = asyncio.new_event_loop(), Metrics()
        ready, stop = loop.create_future(), asyncio.Event()

        async def serve():
            try:
                async with running_server(
                    networks,
                    Settings(**{"drain_grace_s": 1, **settings}),
                    "127.0.0.1:0",
                    metrics=metrics,
                    on_page=on_page,
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
