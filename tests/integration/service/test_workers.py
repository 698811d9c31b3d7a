"""Several server processes behind one port."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import grpc
import pytest

from faced_proto.v1 import service_pb2, service_pb2_grpc
from faced_service import workers
from faced_service.serving import exit_code_of
from faced_service.settings import Settings
from faced_service.workers import supervise, threads_of_each


class Served:
    """`faced serve` with flags; `lines` is what it said up to the line that it serves."""

    def __init__(self, *flags):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faced_service.main", "serve", "--port", "0", *flags],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines, self.rest = [], []
        for line in self.process.stderr:
            self.lines.append(line)
            if line.startswith("faced: serving"):
                break
        self._reader = threading.Thread(target=lambda: self.rest.extend(self.process.stderr))
        self._reader.start()

    def said(self, pattern):
        return next(found for line in self.lines if (found := re.fullmatch(pattern + "\n", line)))

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(30)
        self._reader.join()
        self.process.stderr.close()
        return code

    @property
    def children(self):
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return sorted(map(int, found.split()))


@pytest.fixture(scope="module")
def served():
    server = Served("--workers", "2", "--metrics-port", "0", "--cpu-threads", "2")
    yield server
    if server.process.poll() is None:
        server.end()


def call(address, image):
    # A pool of its own: else calls of one process to one address share a connection, and so a worker.
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
        return len(stub.Analyze(service_pb2.AnalyzeRequest(image=image), timeout=20).analysis.faces)


def metric(served, line):
    page = served.said(r"faced: metrics on (\S+)")[1]
    text = urllib.request.urlopen(page, timeout=10).read().decode()
    return sum(float(number) for number in re.findall(rf"^{line} (\S+)$", text, re.MULTILINE))


def test_both_serve_and_their_metrics_are_one(served, raw_face):
    address = served.said(r"faced: serving on (\S+), cpu, onnxruntime, exact, 2 workers")[1]
    assert len(served.children) == 2
    assert [call(address, raw_face) for _ in range(12)] == [1] * 12
    assert metric(served, r'faced_requests_total\{caller="",code="OK",method="Analyze"\}') == 12
    assert metric(served, "faced_faces_total") == 12
    assert metric(served, r'faced_stage_seconds_count\{stage="detect"\}') == 12
    assert metric(served, r'faced_out_of_memory_total\{step="split"\}') == 0
    assert metric(served, "faced_queue_depth") == 0
    assert metric(served, "faced_in_flight_bytes") == 0
    assert metric(served, r'faced_batch_size_count\{queue="detect"\}') == 12
    assert metric(served, r'faced_engine_info\{backend="onnxruntime",device="cpu",precision="exact"\}') == 1
    assert metric(served, "faced_resident_bytes") > 50e6


def test_one_that_dies_is_started_again_and_nothing_is_lost_from_the_counts(served, raw_face):
    address = served.said(r"faced: serving on (\S+), .*")[1]
    before, counted = served.children, metric(served, "faced_faces_total")
    subprocess.run(["kill", "-KILL", str(before[0])], check=True)
    end = time.monotonic() + 30
    while len(set(served.children) - set(before)) == 0:
        assert time.monotonic() < end
        time.sleep(0.1)
    # The other one takes all new calls meanwhile.
    assert [call(address, raw_face) for _ in range(6)] == [1] * 6
    assert metric(served, "faced_faces_total") == counted + 6
    assert metric(served, "faced_worker_deaths_total") == 1


def test_a_signal_ends_all_of_them(served):
    children = served.children
    assert served.end(signal.SIGINT) == 0
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert "faced: draining\n" in served.rest
    assert not any("Traceback" in line for line in served.rest)


def test_workers_end_when_their_supervisor_is_gone():
    server = Served("--workers", "2")
    children = server.children
    server.end(signal.SIGKILL)
    end = time.monotonic() + 20
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_port_in_use_is_its_own_exit_code(capfd):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert code_of(Settings(port=port, workers=2)) == 4
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in capfd.readouterr().err


def test_a_metrics_port_in_use_is_the_same(capfd):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert code_of(Settings(port=0, workers=2, metrics_port=port)) == 4
    assert f"cannot listen on 127.0.0.1:{port} for metrics: Address already in use" in capfd.readouterr().err


def test_what_prevents_the_start_of_a_worker_is_the_exit_code():
    done = subprocess.run(
        [sys.executable, "-m", "faced_service.main", "serve", "--port", "0", "--workers", "2", "--device", "cuda:7"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "cuda:7" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_that_always_die_at_once_are_given_up(monkeypatch, tmp_path, caplog):
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\nexit 70\n")
    dying.chmod(0o755)
    monkeypatch.setattr(workers.sys, "executable", str(dying))
    monkeypatch.setattr(workers, "_FIRST_PAUSE_S", 0.01)
    assert supervise(Settings(port=0, workers=2)) == 70
    assert sum("starts again" in record.getMessage() for record in caplog.records) >= 3


def test_workers_have_the_wait_and_the_grace_to_drain(monkeypatch, tmp_path):
    draining = tmp_path / "draining"
    draining.write_text(
        f"#!/bin/sh\nsleep 60 &\ntrap 'kill $!; sleep 2; touch {tmp_path}/$$.ended; exit' TERM\necho {{}}\nwait\n"
    )
    draining.chmod(0o755)
    monkeypatch.setattr(workers.sys, "executable", str(draining))
    monkeypatch.setattr(workers, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(workers, "_announce", lambda _share, _workers: asyncio.sleep(0))
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert supervise(Settings(port=0, workers=2, drain_wait_s=4.0, drain_grace_s=0.5)) == 0
    assert len(list(tmp_path.glob("*.ended"))) == 2


@pytest.mark.parametrize(("threads", "count", "each"), [(8, 2, 4), (7, 2, 3), (2, 2, 1), (1, 4, 1)])
def test_threads_are_divided(threads, count, each):
    assert threads_of_each(Settings(cpu_threads=threads), count) == each


def code_of(settings):
    return exit_code_of(lambda: supervise(settings))
