"""What happens to callers of the SDK when something goes wrong around them: nothing is lost, nothing comes twice."""

import re
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.request import urlopen

import grpc
import numpy as np
import pytest
import trustme

from faced_client import Client, FacedError, FrameAnalysis, FrameFailure, StreamConfig, StreamFrame, Unauthenticated
from faced_client.images import image_form, image_message
from faced_proto.types import ErrorReason
from faced_proto.v1 import service_pb2, service_pb2_grpc
from tests.e2e.conftest import Server, serve
from tests.e2e.faulty_server import HANG, RAISE
from tests.process import free_port, open_files, resident_mb

SERVING_AGAIN_S = 5.0


class Supervised:
    """A server that is started again on its port whenever it ends, as a supervisor would."""

    def __init__(self, *flags, module=None):
        self._flags, self._module = flags, module
        self._port = free_port()
        self.ready_at, self.codes, self.said = [], [], []
        self._stopping = False
        self.server = self._start()
        self.address = self.server.address
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _start(self):
        server = Server(*self._flags, port=self._port, module=self._module)
        self.ready_at.append(time.monotonic())
        return server

    def _watch(self):
        while True:
            self.codes.append(self.server.process.wait())
            self.said.append(self.server.said())
            if self._stopping:
                return
            self.server = self._start()

    def signal(self, number):
        self.server.process.send_signal(number)

    def stop(self):
        self._stopping = True
        self.signal(signal.SIGTERM)
        self._thread.join(40)


@contextmanager
def supervised(*flags, module=None):
    server = Supervised(*flags, module=module)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def face(astronaut):
    """The head alone, 256 x 256 RGB: quick."""
    return np.ascontiguousarray(astronaut[:256, 96:352])


@pytest.fixture(scope="module")
def steady():
    """A server that several tests share, and must leave as they found it."""
    with serve("--metrics-port", port := free_port(), "--drain-grace-s", 2) as server:
        server.metrics_port = port
        yield server


def metric(server, name):
    page = urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=5).read().decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE))


def marked(face, pixel):
    face = face.copy()
    face[0, 0] = pixel
    return face


def test_a_server_that_is_killed_in_mid_stream_loses_and_repeats_nothing(face):
    """With tracks, whose numbers and smoothed values go on as in an undisturbed run."""
    config = StreamConfig(track=True, smoothing_half_life=0.5)

    def frames():
        for i in range(24):
            yield StreamFrame(np.roll(face, i, axis=1), media_time_us=i * 40_000)

    with supervised() as server, Client(server.address) as client:
        undisturbed = list(client.stream(frames(), config))
        outcomes, answered_at = [], []
        for outcome in client.stream(frames(), config):
            outcomes.append(outcome)
            answered_at.append(time.monotonic())
            if len(outcomes) == 12:
                server.signal(signal.SIGKILL)
        assert server.codes == [-signal.SIGKILL]
    assert [outcome.frame_id for outcome in outcomes] == list(range(24))
    for ours, theirs in zip(outcomes, undisturbed, strict=True):
        assert [one.detection.box for one in ours.result.faces] == [one.detection.box for one in theirs.result.faces]
        assert [one.track_id for one in ours.result.faces] == [one.track_id for one in theirs.result.faces]
        for one, other in zip(ours.result.faces, theirs.result.faces, strict=True):
            assert one["emotion"].probabilities == pytest.approx(other["emotion"].probabilities, abs=1e-4)
    for ready in server.ready_at[1:]:
        assert min(at for at in answered_at if at > ready) - ready < SERVING_AGAIN_S


@pytest.mark.slow
def test_calls_in_flight_outlive_a_server_that_is_killed(face):
    with supervised() as server, Client(server.address) as client:
        client.server_info()
        with ThreadPoolExecutor(6) as threads:
            calls = [threads.submit(client.analyze, face) for _ in range(60)]
            time.sleep(0.3)
            server.signal(signal.SIGKILL)
            assert [len(call.result().faces) for call in calls] == [1] * 60
        assert server.codes == [-9]


@pytest.mark.slow
def test_a_server_that_is_stopped_under_load_loses_nothing(face):
    with supervised("--drain-grace-s", 2) as server, Client(server.address) as client:
        client.server_info()

        def stream():
            return [(outcome.frame_id, len(outcome.result.faces)) for outcome in client.stream([face] * 40)]

        with ThreadPoolExecutor(6) as threads:
            streams = [threads.submit(stream) for _ in range(2)]
            calls = [threads.submit(client.analyze, face) for _ in range(50)]
            time.sleep(0.5)
            server.signal(signal.SIGTERM)
            assert [call.result() for call in streams] == [[(i, 1) for i in range(40)]] * 2
            assert [len(call.result().faces) for call in calls] == [1] * 50
        assert server.codes == [0]


@pytest.mark.slow
def test_a_network_that_raises_costs_its_frame_alone(face):
    with supervised(module="tests.e2e.faulty_server") as server, Client(server.address) as client:
        frames = [face, marked(face, RAISE), face, marked(face, RAISE), face]
        results = [outcome.result for outcome in client.stream(frames)]
        assert [type(result) for result in results] == [FrameAnalysis, FrameFailure] * 2 + [FrameAnalysis]
        assert {result.reason for result in results[1::2]} <= {ErrorReason.MODEL_FAILED, ErrorReason.INTERNAL}
        assert "provider" not in results[1].message or results[1].reason is ErrorReason.MODEL_FAILED
        with pytest.raises(FacedError):
            client.analyze(marked(face, RAISE))
        assert len(client.analyze(face).faces) == 1
        assert server.codes == []


@pytest.mark.slow
def test_a_network_that_hangs_costs_its_frame_and_a_restart(face):
    with (
        supervised("--run-timeout-s", 3, module="tests.e2e.faulty_server") as server,
        Client(server.address) as client,
    ):
        client.server_info()
        frames = [face] * 3 + [marked(face, HANG)] + [face] * 8
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(lambda: time.sleep(0.3) or client.analyze(face))
            outcomes = list(client.stream(frames))
            assert len(call.result().faces) == 1
        assert [outcome.frame_id for outcome in outcomes] == list(range(12))
        failed = [outcome for outcome in outcomes if not isinstance(outcome.result, FrameAnalysis)]
        assert [(outcome.frame_id, outcome.result.reason) for outcome in failed] == [(3, ErrorReason.MODEL_FAILED)]
        # Printed whole where it fails; an assertion's message is cut.
        print(*server.said, sep="\n")
        assert server.codes == [70]


@pytest.mark.slow
def test_a_caller_that_vanishes_in_mid_upload_leaves_nothing_behind(steady, face, astronaut):
    process = steady.process.pid
    with Client(steady.address) as client:
        client.analyze(face)
        before = open_files(process)
        program = (
            "import numpy as np, faced_client\n"
            "client = faced_client.Client('{address}')\n"
            "client.analyze(np.zeros((2000, 2500, 3), np.uint8))"
        )
        for after_bytes in (200_000, 5_000_000):
            with Throttle(steady.port, after_bytes) as wire:
                caller = subprocess.Popen([sys.executable, "-c", program.format(address=wire.address)])
                assert wire.reached.wait(20)
                caller.kill()
                caller.wait()
        assert len(client.analyze(face).faces) == 1
        wait_until(lambda: open_files(process) <= before + 1)
        assert metric(steady, "faced_queue_depth") == 0


@pytest.mark.slow
def test_a_stream_that_vanishes_gives_its_places_back(steady, face):
    program = (
        "import itertools, numpy as np, faced_client, os\n"
        f"client = faced_client.Client('{steady.address}')\n"
        "for outcome in client.stream(np.zeros((480, 640, 3), np.uint8) for _ in itertools.count()):\n"
        "    if outcome.frame_id == 3: os.kill(os.getpid(), 9)"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program], timeout=30)
    wait_until(lambda: metric(steady, "faced_queue_depth") == 0)
    with Client(steady.address) as client:
        assert len(client.analyze(face).faces) == 1


@pytest.mark.slow
def test_a_slow_reader_holds_up_only_itself(steady, face):
    """It sends far more frames than it has credits for, and reads no answer."""
    process = steady.process.pid
    picture = np.zeros((720, 1280, 3), np.uint8)
    image = image_message(picture, image_form("rgb", "raw", 0, False), 16 << 20)
    with grpc.insecure_channel(steady.address) as channel, Client(steady.address) as client:
        client.analyze(picture)
        before_mb = resident_mb(process)
        sent = []

        def flood():
            yield service_pb2.AnalyzeStreamRequest(config=service_pb2.StreamConfig())
            for i in range(200):
                sent.append(i)
                yield service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(frame_id=i, image=image))

        def seconds(image):
            times = []
            for _ in range(7):
                begun = time.monotonic()
                client.analyze(image, upsample_times=0)
                times.append(time.monotonic() - begun)
            return statistics.median(times)

        alone, floods = seconds(face), seconds(picture)
        call = service_pb2_grpc.FaceAnalysisServiceStub(channel).AnalyzeStream(flood())
        assert next(call).HasField("started")
        beside = seconds(face)
        time.sleep(1.0)
        grown_mb = resident_mb(process) - before_mb
        call.cancel()
    assert len(sent) < 60  # it stands still long before 200
    assert grown_mb < 120
    # Beside its own, it waits for one of the other's frames, and shares the machine with what the other sends.
    assert beside < alone + 3 * floods
    wait_until(lambda: metric(steady, "faced_queue_depth") == 0)


@pytest.mark.slow
def test_tokens_and_certificates_are_exchanged_under_load(tmp_path, face):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    serials = []

    def exchange():
        issued = authority.issue_cert("localhost")
        put(tmp_path / "server.pem", issued.private_key_and_cert_chain_pem.bytes())
        serials.append(issued.cert_chain_pems[0].bytes())

    exchange()
    put(tmp_path / "tokens", b"old:t0k-old\nkept:t0k-kept\n")
    pem = tmp_path / "server.pem"
    with serve("--tls-cert", pem, "--tls-key", pem, "--token-file", tmp_path / "tokens") as server:
        address = f"localhost:{server.port}"
        stop = threading.Event()

        def call(token):
            """Faces found in each call, on a new connection for every fifth."""
            found = []
            while not stop.is_set():
                with Client(address, token=token, tls_ca=str(tmp_path / "ca.pem")) as client:
                    found += [len(client.analyze(face).faces) for _ in range(5)]
            return found

        with ThreadPoolExecutor(4) as threads:
            kept = [threads.submit(call, "t0k-kept") for _ in range(2)]
            old = threads.submit(call, "t0k-old")
            time.sleep(1.0)
            exchange()
            wait_until(lambda: certificate_of(server.port) == serials[1], 15)
            put(tmp_path / "tokens", b"kept:t0k-kept\nnew:t0k-new\n")
            assert isinstance(old.exception(timeout=20), Unauthenticated)
            with Client(address, token="t0k-new", tls_ca=str(tmp_path / "ca.pem")) as client:
                assert len(client.analyze(face).faces) == 1
            stop.set()
            for worker in kept:
                found = worker.result()
                assert len(found) >= 5
                assert set(found) == {1}


def put(path, content):
    """As a rotation does: whole, at once."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def certificate_of(port):
    """What the server shows now, PEM."""
    return ssl.get_server_certificate(("localhost", port)).encode()


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not come true in time"
        time.sleep(0.05)


class Throttle:
    """A wire to the server that lets `after_bytes` through, and then no more of what the caller sends."""

    def __init__(self, port, after_bytes):
        self._left = after_bytes
        self._port = port
        self.reached = threading.Event()

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self):
        caller, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._port))
        self._open += [caller, server]
        threading.Thread(target=self._pass, args=(server, caller, False), daemon=True).start()
        self._pass(caller, server, True)

    def _pass(self, source, target, counted):
        try:
            while data := source.recv(65536):
                if counted:
                    if self._left <= 0:
                        self.reached.set()
                        continue
                    self._left -= len(data)
                target.sendall(data)
        except OSError:
            pass
        finally:
            # Closing alone would not end it while the other thread waits for data.
            with suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)
