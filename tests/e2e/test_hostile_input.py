"""Whatever is sent, the answer is a reply or a refusal that names a reason, in time, and the next caller is served.

FACED_FUZZ_CASES says how many cases are tried (500; `make fuzz`: 20,000).
"""

import os
import struct
import zlib

import cv2
import grpc
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faced_proto.v1 import analysis_pb2, errors_pb2, image_pb2, options_pb2, service_pb2, service_pb2_grpc
from faced_service.bench.picture import bench_picture
from tests.e2e.conftest import serve

# Taken out: the server refuses variables that are named as its settings are and are none.
CASES = int(os.environ.pop("FACED_FUZZ_CASES", "500"))
ANSWER_S = 20.0
METHOD = "/faced.v1.FaceAnalysisService/"
# Pictures are small, and stay so: the cases are about what is let in, not about what is found.
LIMITS = ("--max-upscaled-pixels", 20_000, "--max-detect-pixels", 20_000, "--log-level", "error")
FORBIDDEN = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED}
FORBIDDEN |= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED}


class Wire:
    """Calls of raw bytes, so that a case may be no message at all."""

    def __init__(self, server, picture):
        self.server = server
        self._channel = grpc.insecure_channel(server.address)
        self._one = self._channel.unary_unary(METHOD + "Analyze")
        self._stream = self._channel.stream_stream(METHOD + "AnalyzeStream")
        self._good = service_pb2_grpc.FaceAnalysisServiceStub(self._channel)
        self._picture = picture

    def close(self):
        self._channel.close()

    def one(self, request):
        """The reply, or None for a refusal that is as it must be."""
        try:
            reply = self._one(request, timeout=ANSWER_S)
        except grpc.RpcError as error:
            self._refused(error)
            return None
        return service_pb2.AnalyzeResponse.FromString(reply)

    def stream(self, requests):
        """The replies, and whether the stream ended well."""
        replies = []
        try:
            replies.extend(
                map(service_pb2.AnalyzeStreamResponse.FromString, self._stream(iter(requests), timeout=ANSWER_S))
            )
        except grpc.RpcError as error:
            self._refused(error)
            return replies, False
        return replies, True

    def _refused(self, error):
        assert self.server.process.poll() is None, self.server.said()
        assert error.code() not in FORBIDDEN, f"{error.code()}: {error.details()}"
        assert error.details()
        assert dict(error.trailing_metadata() or ()).get("faced-reason"), error

    def still_serves(self):
        """A good picture is answered as ever."""
        request = service_pb2.AnalyzeRequest(image=self._picture, options=options_pb2.AnalysisOptions(upsample_times=0))
        faces = self._good.Analyze(request, timeout=ANSWER_S).analysis.faces
        assert self.server.process.poll() is None
        assert len(faces) == 1
        assert [sum(one.distribution.probabilities) for one in faces[0].attributes if one.HasField("distribution")]
        return faces[0].box


@pytest.fixture(scope="module")
def wire(astronaut):
    face = np.ascontiguousarray(astronaut[60:200, 150:290])
    plane = image_pb2.Plane(data=face.tobytes())
    raw = image_pb2.RawImage(pixel_format=image_pb2.PIXEL_FORMAT_RGB24, width=140, height=140, planes=[plane])
    with serve(*LIMITS) as server:
        wire = Wire(server, image_pb2.Image(raw=raw))
        before = wire.still_serves()
        yield wire
        assert wire.still_serves() == before
        wire.close()


def hostile(share):
    """Of all cases, a share for one kind."""
    return settings(
        max_examples=max(round(CASES * share), 1),
        deadline=None,
        database=None,
        # The short run is the same each time; the long one looks further.
        derandomize=CASES <= 500,
        suppress_health_check=list(HealthCheck),
    )


# Encoded pictures


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, rows=b"", depth=8, colour=2):
    """With a true checksum, whatever it claims."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def seeds():
    picture = bench_picture(48, 40)
    files = [cv2.imencode(kind, picture)[1].tobytes() for kind in (".jpg", ".png", ".webp", ".bmp")]
    files.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes())
    files.append(cv2.imencode(".png", picture[:, :, 0])[1].tobytes())
    files.append(cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes())
    return files


SEEDS = seeds()
BOMB = png(9000, 9000, bytes(9000 * 300))
HEADS = [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"BM", b"GIF89a"]
sizes = st.sampled_from([0, 1, 2, 3, 7, 8, 31, 48, 255, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1])


@st.composite
def altered(draw):
    """A file of a known format with bytes changed, cut, doubled or put in."""
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)) | st.integers(0, 64))
        match draw(st.sampled_from(["flip", "word", "cut", "put", "take", "again"])):
            case "flip" if at < len(content):
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "word":
                content[at : at + 4] = struct.pack(draw(st.sampled_from("<>")) + "I", draw(sizes))
            case "cut":
                del content[at:]
            case "put":
                content[at:at] = draw(st.binary(max_size=40))
            case "take":
                del content[at : at + draw(st.integers(1, 40))]
            case "again":
                content += content[at : at + 2000]
    return bytes(content)


def bmp(width, height, bits, offset):
    return struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, offset, 40, width, height, 1, bits, 0, 0, 0, 0, 0, 0)


sides = st.integers(-(2**31), 2**31 - 1)
encoded = st.one_of(
    altered(),
    altered(),
    st.builds(lambda head, rest: head + rest, st.sampled_from(HEADS), st.binary(max_size=300)),
    st.builds(png, sizes, sizes, st.binary(max_size=64), st.integers(0, 255), st.integers(0, 7)),
    st.builds(bmp, sides, sides, st.sampled_from([0, 1, 8, 24, 32, 65535]), sizes),
    st.just(BOMB),
)


# Raw frames

CHANNELS = {1: 3, 2: 3, 3: 1, 4: 4, 5: 4, 6: 1, 7: 1, 8: 1, 9: 2}
small = st.integers(1, 40)
strides = st.just(0) | st.integers(0, 200) | sizes


@st.composite
def raw_image(draw):
    pixel_format = draw(st.sampled_from(sorted(CHANNELS)) | st.integers(-5, 12))
    width, height = draw(small | sizes), draw(small | sizes)
    own = min(width * height * CHANNELS.get(pixel_format, 3), 5000)
    chroma = min((width + 1) // 2 * ((height + 1) // 2), 2500)
    lengths = {6: [own, 2 * chroma], 7: [own, 2 * chroma], 8: [own, chroma, chroma]}.get(pixel_format, [own])
    if draw(st.booleans()):
        lengths = draw(st.lists(st.integers(0, 5000) | st.just(own), max_size=5))
    odd = draw(st.booleans())
    planes = [
        image_pb2.Plane(
            data=draw(st.sampled_from([b"\0", b"\x7f", b"\xff"])) * length,
            row_stride=draw(strides) if odd else 0,
            pixel_stride=draw(strides) if odd else 0,
        )
        for length in lengths
    ]
    return image_pb2.RawImage(pixel_format=pixel_format, width=width, height=height, planes=planes)


def image(content):
    own = {"raw" if isinstance(content, image_pb2.RawImage) else "encoded": content}
    return st.builds(
        lambda rotation, exif: image_pb2.Image(**own, rotation=rotation, ignore_exif=exif),
        st.integers(-1, 6),
        st.none() | st.booleans(),
    )


images = st.one_of(encoded.flatmap(image), raw_image().flatmap(image), st.builds(image_pb2.Image))


# Options and whole requests

names = st.lists(
    st.sampled_from(["emotion", "age", "gender", "", "EMOTION", "race", "\0", "x" * 5000]) | st.text(), max_size=5
)


@st.composite
def options(draw):
    """Few fields at a time, so that what is wrong with one hides nothing of another."""
    message = options_pb2.AnalysisOptions(include_labels=draw(st.none() | st.booleans()))
    odd = draw(st.sampled_from(["nothing", "threshold", "max_faces", "names", "upsample_times", "min_face_px", "all"]))
    if odd in ("threshold", "all"):
        message.threshold = draw(st.floats(-2, 11, width=32) | st.floats(width=32))
    for field in ("max_faces", "upsample_times", "min_face_px"):
        if odd in (field, "all"):
            setattr(message, field, draw(st.integers(0, 12) | sizes))
    if odd in ("names", "all"):
        message.attributes.names.extend(draw(names))
    return message


large = st.integers(-(2**63), 2**63 - 1)
durations = st.none() | st.builds(Duration, seconds=st.integers(-2, 3) | large, nanos=st.integers(-(2**31), 2**31 - 1))
good = image_pb2.Image(encoded=SEEDS[0])


@st.composite
def request(draw, pictures):
    """Of `Analyze`; a deadline that is short or odd may be kept by refusing."""
    return service_pb2.AnalyzeRequest(image=draw(pictures), options=draw(st.none() | options()))


@st.composite
def outcome(draw):
    analysis = analysis_pb2.FrameAnalysis(
        width=draw(sizes), height=draw(sizes), thumbnail=draw(st.binary(max_size=200))
    )
    face = analysis.faces.add(score=draw(st.floats(width=32)), track_id=draw(st.integers(0, 2**64 - 1)))
    face.box.left = draw(st.integers(-(2**31), 2**31 - 1))
    result = service_pb2.FrameOutcome(frame_id=draw(st.integers(0, 2**64 - 1)), analysis=analysis)
    if draw(st.booleans()):
        result.media_time_us = draw(large)
    return result


@st.composite
def config(draw):
    if draw(st.booleans()):
        return service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig(track=draw(st.none() | st.booleans())))
    content = service_pb2.StreamConfig(
        mode=draw(st.integers(-1, 4)),
        options=draw(st.none() | options()),
        max_frame_age=draw(durations),
        scan_interval=draw(st.none() | st.integers(0, 1001) | sizes),
        track=draw(st.none() | st.booleans()),
        smoothing_half_life=draw(durations),
        frame_deadline=draw(durations),
        history=draw(st.lists(outcome(), max_size=3)),
    )
    return service_pb2.AnalyzeStreamRequest(config=content)


@st.composite
def frame(draw):
    content = service_pb2.Frame(
        frame_id=draw(st.integers(0, 5) | st.integers(0, 2**64 - 1)), image=draw(st.just(good) | images)
    )
    if draw(st.booleans()):
        content.media_time_us = draw(large)
    return service_pb2.AnalyzeStreamRequest(frame=content)


def foreign(field):
    """A field of another version of the protocol, in place of the two that are known."""
    return bytes([field << 3 | 2]) + b"\x03abc"


def whole(message):
    return message.SerializeToString()


bytes_of = st.one_of(config(), frame()).map(whole)
going_on = st.lists(st.just(good) | images, min_size=1, max_size=6).map(
    lambda pictures: [
        whole(service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(frame_id=i, image=one, media_time_us=i)))
        for i, one in enumerate(pictures)
    ]
)
plain = st.builds(service_pb2.StreamConfig, mode=st.integers(0, 2), track=st.booleans()).map(
    lambda content: whole(service_pb2.AnalyzeStreamRequest(config=content))
)
orders = st.one_of(
    # In order, with odd pictures among good ones: the stream must go on.
    st.builds(lambda first, frames: [first, *frames], plain, going_on),
    st.builds(lambda first, frames, last: [first, *frames, last], plain, going_on, bytes_of),
    st.lists(bytes_of | st.just(b"") | st.integers(3, 15).map(foreign) | st.binary(max_size=30), max_size=6),
    st.builds(lambda first, rest: [first, *rest], config().map(whole), st.lists(bytes_of, max_size=6)),
)


@hostile(0.35)
@given(st.data())
def test_pictures_and_raw_frames(wire, data):
    wire.one(whole(service_pb2.AnalyzeRequest(image=data.draw(images))))


@hostile(0.25)
@given(request(images | st.just(good)), durations)
def test_options_and_deadlines(wire, message, deadline):
    reply = wire.one(whole(message))
    if reply is not None:
        assert reply.analysis.width >= 1
    message.image.CopyFrom(good)
    if deadline is not None and (deadline.seconds < 0 or not 0 <= deadline.nanos < 10**9):
        message.deadline.CopyFrom(deadline)
        assert wire.one(whole(message)) is None


@hostile(0.1)
@given(st.binary(max_size=400))
def test_bytes_that_may_be_no_message(wire, content):
    wire.one(content)


@hostile(0.3)
@given(orders)
def test_orders_of_streams(wire, requests):
    replies, _ = wire.stream(requests)
    kinds = [reply.WhichOneof("kind") for reply in replies]
    assert kinds[:1] in ([], ["started"])
    assert set(kinds[1:]) <= {"outcome"}
    results = [reply.outcome for reply in replies[1:]]
    assert len(results) <= len(requests)
    numbers = [result.frame_id for result in results]
    assert numbers == sorted(set(numbers))
    for result in results:
        assert result.WhichOneof("outcome")
        if result.HasField("error"):
            assert result.error.reason not in (errors_pb2.ERROR_REASON_INTERNAL, errors_pb2.ERROR_REASON_UNSPECIFIED)
            assert result.error.message
