"""A small server that reads real messages and answers with values: a double for the transport's other end only."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field

import cv2
import grpc
import numpy as np
import pytest

from faced_client import Client
from faced_proto import convert
from faced_proto.types import (
    AnalysisOptions,
    Axis,
    Box,
    Categories,
    Detection,
    Distribution,
    EffectiveOptions,
    Engine,
    ErrorReason,
    FaceAnalysis,
    FrameAnalysis,
    FrameFailure,
    FrameOutcome,
    IntegerBins,
    Limits,
    ModelInfo,
    ModelRole,
    Precision,
    ServerInfo,
    StreamConfig,
    StreamStarted,
    Timing,
)
from faced_proto.v1 import image_pb2, service_pb2, service_pb2_grpc

EMOTION = Categories(("calm", "glad"))
AGE = IntegerBins(first=0, width=1, last_open=True, count=3)
ENGINE = Engine("cpu", "double", Precision.EXACT, "double@1")
AXES: dict[str, Axis] = {"emotion": EMOTION, "age": AGE}
MODELS = tuple(ModelInfo(f"{name}@1", ModelRole.ATTRIBUTE, name, axis, False, "MIT", 64) for name, axis in AXES.items())


def rgb_of(image: image_pb2.Image) -> np.ndarray:
    """The picture as RGB, by the rules of image.proto."""
    if image.WhichOneof("content") == "encoded":
        decoded = cv2.imdecode(np.frombuffer(image.encoded, np.uint8), cv2.IMREAD_COLOR)
        return decoded[:, :, ::-1]
    raw = image.raw
    depth, order = {
        image_pb2.PIXEL_FORMAT_RGB24: (3, [0, 1, 2]),
        image_pb2.PIXEL_FORMAT_BGR24: (3, [2, 1, 0]),
        image_pb2.PIXEL_FORMAT_GRAY8: (1, [0, 0, 0]),
        image_pb2.PIXEL_FORMAT_RGBA32: (4, [0, 1, 2]),
        image_pb2.PIXEL_FORMAT_BGRA32: (4, [2, 1, 0]),
    }[raw.pixel_format]
    assert raw.planes[0].row_stride == 0
    pixels = np.frombuffer(raw.planes[0].data, np.uint8).reshape(raw.height, raw.width, depth)
    return pixels[:, :, order]


def analysis_of(image: image_pb2.Image, options: AnalysisOptions) -> FrameAnalysis:
    """One face, whose box is the colour of the last pixel (red, green, blue) and whose score is the mean."""
    rgb = rgb_of(image)
    red, green, blue = (float(value) for value in rgb[-1, -1])
    names = tuple(AXES) if options.attributes is None else options.attributes
    values = {"emotion": (0.25, 0.75), "age": (0.5, 0.25, 0.25)}
    attributes = tuple(Distribution(name, AXES[name], values[name], f"{name}@1", False) for name in names)
    face = FaceAnalysis(Detection(Box(red, green, blue, 0.0), float(np.float32(rgb.mean()))), (), attributes)
    return FrameAnalysis(
        width=rgb.shape[1],
        height=rgb.shape[0],
        rotation=convert.rotation_from_proto(image.rotation),
        faces=(face,),
        applied_scale=1.0,
        min_detectable_px=80.0,
        options=EffectiveOptions(options.upsample_times or 0, options.threshold or 0.0, options.max_faces, names),
        full_scan=True,
        engine=ENGINE,
        timing=Timing(),
    )


@dataclass
class Service(service_pb2_grpc.FaceAnalysisServiceServicer):
    """What the tests set, and what they look at afterwards."""

    max_message_bytes: int = 1 << 20
    max_in_flight: int = 3
    before_analyze: Callable[[service_pb2.AnalyzeRequest, grpc.ServicerContext], None] | None = None
    before_stream: Callable[[grpc.ServicerContext], None] | None = None
    before_answer: Callable[[int, grpc.ServicerContext], None] | None = None
    answer_after: float = 0.0
    reply_empty: bool = False
    drain_after: int | None = None
    requests: list[service_pb2.AnalyzeRequest] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    configs: list[StreamConfig] = field(default_factory=list)
    frames: list[service_pb2.Frame] = field(default_factory=list)
    info_calls: int = 0
    most_unanswered: int = 0
    stream_ended: threading.Event = field(default_factory=threading.Event)

    def GetServerInfo(self, request, context):  # noqa: N802
        self.info_calls += 1
        self.metadata.append(dict(context.invocation_metadata()))
        limits = Limits(self.max_message_bytes, 40_000_000, 2_000_000, 8_300_000)
        return convert.server_info_to_proto(ServerInfo("1.2.3", ENGINE, MODELS, tuple(AXES), limits, ("a notice",)))

    def Analyze(self, request, context):  # noqa: N802
        self.requests.append(request)
        self.deadlines.append(context.time_remaining())
        self.metadata.append(dict(context.invocation_metadata()))
        if self.before_analyze:
            self.before_analyze(request, context)
        if self.reply_empty:
            return service_pb2.AnalyzeResponse()
        analysis = analysis_of(request.image, convert.analysis_options_from_proto(request.options))
        message = convert.frame_analysis_to_proto(analysis, include_labels=True, include_landmarks=True)
        return service_pb2.AnalyzeResponse(analysis=message)

    def AnalyzeStream(self, request_iterator, context):  # noqa: N802
        if self.before_stream:
            self.before_stream(context)
        self.metadata.append(dict(context.invocation_metadata()))
        config = convert.stream_config_from_proto(next(request_iterator).config, {})
        self.configs.append(config)
        context.add_callback(self.stream_ended.set)
        started = StreamStarted("s1", self.max_in_flight, config, MODELS, ())
        yield service_pb2.AnalyzeStreamResponse(started=convert.stream_started_to_proto(started))
        arrived: queue.SimpleQueue[service_pb2.Frame | None] = queue.SimpleQueue()
        answered = 0

        def read() -> None:
            count = 0
            try:
                for request in request_iterator:
                    count += 1
                    self.frames.append(request.frame)
                    self.most_unanswered = max(self.most_unanswered, count - answered)
                    arrived.put(request.frame)
            except grpc.RpcError:
                pass  # the client has gone
            arrived.put(None)

        threading.Thread(target=read, daemon=True).start()
        while (frame := arrived.get()) is not None:
            time.sleep(self.answer_after)
            if self.before_answer:
                self.before_answer(frame.frame_id, context)
            if frame.image.WhichOneof("content") is None:
                result = FrameFailure(ErrorReason.IMAGE_EMPTY, "the request holds no picture")
            else:
                result = analysis_of(frame.image, config.options)
            time_us = frame.media_time_us if frame.HasField("media_time_us") else None
            outcome = FrameOutcome(frame.frame_id, time_us, result)
            answered += 1
            message = convert.frame_outcome_to_proto(outcome, include_labels=False, include_landmarks=True)
            yield service_pb2.AnalyzeStreamResponse(outcome=message)
            if answered == self.drain_after:
                grace = convert.duration_to_proto(2.0)
                yield service_pb2.AnalyzeStreamResponse(draining=service_pb2.Draining(grace=grace))


@dataclass
class Running:
    """A server on a loopback port."""

    service: Service
    address: str


def serve(
    service: Service, credentials: grpc.ServerCredentials | None = None, port: int = 0
) -> tuple[grpc.Server, str]:
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", 1 << 20), ("grpc.so_reuseport", 0)],
    )
    service_pb2_grpc.add_FaceAnalysisServiceServicer_to_server(service, server)
    if credentials is None:
        port = server.add_insecure_port(f"127.0.0.1:{port}")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    return server, f"localhost:{port}"


@dataclass
class Restart:
    """Called, it ends the server without any grace, and starts it again on its port."""

    service: Service
    server: grpc.Server
    address: str
    happened: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        self.happened.set()
        self.server.stop(0).wait()
        time.sleep(0.5)
        self.server, _ = serve(self.service, port=int(self.address.rpartition(":")[2]))


@pytest.fixture
def restart() -> Iterator[Restart]:
    service = Service()
    restart = Restart(service, *serve(service))
    yield restart
    restart.server.stop(0.1).wait()


@pytest.fixture
def running(restart: Restart) -> Running:
    return Running(restart.service, restart.address)


@pytest.fixture
def service(running: Running) -> Service:
    return running.service


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    with Client(running.address) as client:
        yield client


@pytest.fixture
def start_secure() -> Iterator[Callable[[grpc.ServerCredentials], Running]]:
    servers = []

    def start(credentials: grpc.ServerCredentials) -> Running:
        service = Service()
        server, address = serve(service, credentials)
        servers.append(server)
        return Running(service, address)

    yield start
    for server in servers:
        server.stop(0.1).wait()
