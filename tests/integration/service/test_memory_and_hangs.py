"""What callers and operators see when memory is short or a run never ends."""

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import replace

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from faced_models.errors import OutOfMemory
from faced_proto.types import AnalysisOptions, AttributeFailure, Distribution, ErrorReason
from faced_proto.v1 import service_pb2, service_pb2_grpc
from faced_service import embedded as embedded_module
from faced_service.analysis_request import AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.embedded import EmbeddedServer
from faced_service.errors import ModelFailed, NotReady
from faced_service.images import Picture
from faced_service.metrics import Metrics
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.settings import Settings


class Small:
    """A real network that cannot allocate for more than `most`: scaled pixels of a detector, faces of a classifier."""

    def __init__(self, network, most):
        self._network = network
        self._most = most

    def __getattr__(self, name):
        return getattr(self._network, name)

    @property
    def engine(self):
        return replace(self._network.engine, device="cuda:0")

    def detect(self, images, plan, thresholds):
        self._need(len(images) * images[0].shape[0] * images[0].shape[1] * plan.applied_scale**2)
        return self._network.detect(images, plan, thresholds)

    def classify(self, crops):
        self._need(len(crops))
        return self._network.classify(crops)

    def _need(self, amount):
        if amount > self._most:
            raise OutOfMemory(f"Failed to allocate memory for {amount:g}")


class Stuck:
    """A real network whose second run never ends; the first is the warm-up."""

    def __init__(self, network):
        self._network = network
        self.ready = False

    def __getattr__(self, name):
        return getattr(self._network, name)

    def detect(self, images, plan, thresholds):
        return self._wait() or self._network.detect(images, plan, thresholds)

    def classify(self, crops):
        return self._wait() or self._network.classify(crops)

    def _wait(self):
        if self.ready:
            threading.Event().wait()


@pytest.fixture
def picture(astronaut):
    rgb = astronaut[:256, 96:352]
    return Picture(RawLayout(PixelFormat.RGB24, 256, 256, (Plane(rgb.tobytes()),)))


def analyse(analyzer, picture, auto_upsample=1, **options):
    return analyzer.analyze(AnalysisRequest(picture, AnalysisOptions(**options), "caller", auto_upsample))


def with_analyzer(networks, models, scenario, on_hang=lambda: None, **settings):
    async def run():
        metrics = Metrics()
        analyzer = Analyzer(
            models, Settings(**settings), known_attributes=networks.known_attributes, metrics=metrics, on_hang=on_hang
        )
        await analyzer.start()
        try:
            return await scenario(analyzer), metrics
        finally:
            await analyzer.close()

    return asyncio.run(run())


def counted(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def test_without_memory_automatic_doublings_go_first_and_the_reply_says_so(networks, picture):
    models = replace(networks.models, detector=Small(networks.models.detector, 640 * 480))

    async def scenario(analyzer):
        fits = await analyse(analyzer, picture)
        analyzer._finder._detector._detector._most = 256 * 256
        return fits, await analyse(analyzer, picture), await analyse(analyzer, picture, upsample_times=0)

    (fits, coarse, asked), metrics = with_analyzer(networks, models, scenario)
    assert (fits.applied_scale, fits.min_detectable_px, fits.options.upsample_times) == (2.0, 40.0, 1)
    assert (coarse.applied_scale, coarse.min_detectable_px, coarse.options.upsample_times) == (1.0, 80.0, 0)
    assert coarse.faces == asked.faces
    assert len(coarse.faces) == 1
    assert counted(metrics, "faced_out_of_memory_total", step="coarser") == 1
    assert counted(metrics, "faced_out_of_memory_total", step="cpu") == 0


def test_what_the_caller_asked_for_runs_on_the_cpu_instead(networks, picture):
    detector = networks.models.detector
    models = replace(networks.models, detector=Small(detector, 640 * 480), spare_detector=detector)

    async def scenario(analyzer):
        analyzer._finder._detector._detector._most = 256 * 256
        return await analyse(analyzer, picture, upsample_times=1), await analyse(analyzer, picture, min_face_px=40)

    found, metrics = with_analyzer(networks, models, scenario)
    assert [(one.applied_scale, one.engine.device) for one in found] == [(2.0, "cpu")] * 2
    assert counted(metrics, "faced_out_of_memory_total", step="cpu") == 2
    assert counted(metrics, "faced_out_of_memory_total", step="coarser") == 0


def test_what_cannot_be_done_at_all_fails_and_the_next_frame_works(networks, picture):
    models = replace(networks.models, detector=Small(networks.models.detector, 640 * 480))

    async def scenario(analyzer):
        analyzer._finder._detector._detector._most = 256 * 256
        with pytest.raises(ModelFailed, match="out of memory"):
            await analyse(analyzer, picture, upsample_times=1)
        return await analyse(analyzer, picture, upsample_times=0)

    found, metrics = with_analyzer(networks, models, scenario)
    assert len(found.faces) == 1
    assert counted(metrics, "faced_frames_total", outcome="ok") == 1
    assert counted(metrics, "faced_frames_total", outcome=ErrorReason.MODEL_FAILED.value) == 1


def test_faces_are_described_in_smaller_parts(networks, astronaut):
    rgb = np.ascontiguousarray(np.tile(astronaut[:256, 96:352], (1, 3, 1)))
    picture = Picture(RawLayout(PixelFormat.RGB24, 768, 256, (Plane(rgb.tobytes()),)))
    small = replace(
        networks.models,
        classifiers={**networks.models.classifiers, "emotion": Small(networks.models.classifiers["emotion"], 1)},
    )

    async def scenario(analyzer):
        return await analyse(analyzer, picture, auto_upsample=0)

    found, metrics = with_analyzer(networks, small, scenario)
    expected, _ = with_analyzer(networks, networks.models, scenario)
    assert len(found.faces) == 3
    for face, other in zip(found.faces, expected.faces, strict=True):
        np.testing.assert_allclose(face["emotion"].probabilities, other["emotion"].probabilities, atol=1e-6)
    assert counted(metrics, "faced_out_of_memory_total", step="split") == 2


def test_a_run_that_never_ends_fails_its_frame_and_everything_after(networks, picture):
    stuck = Stuck(networks.models.detector)
    hangs = []

    async def scenario(analyzer):
        stuck.ready = True
        first = asyncio.create_task(analyse(analyzer, picture))
        await asyncio.sleep(0.05)
        results = await asyncio.gather(first, analyse(analyzer, picture), return_exceptions=True)
        with pytest.raises(NotReady, match="a run of detect hangs"):
            await analyse(analyzer, picture)
        return results

    models = replace(networks.models, detector=stuck)
    (first, second), metrics = with_analyzer(networks, models, scenario, lambda: hangs.append(1), run_timeout_s=0.3)
    assert (type(first), str(first)) == (ModelFailed, "detect did not end within 0.3 s")
    assert (type(second), str(second)) == (NotReady, "a run of detect hangs")
    assert hangs == [1]
    assert counted(metrics, "faced_hung_runs_total", queue="detect") == 1


def test_an_attribute_network_that_hangs_costs_its_attribute_and_closes_the_server(networks, picture):
    stuck = Stuck(networks.models.classifiers["emotion"])
    models = replace(networks.models, classifiers={**networks.models.classifiers, "emotion": stuck})

    async def scenario(analyzer):
        stuck.ready = True
        found = await analyse(analyzer, picture)
        with pytest.raises(NotReady, match="a run of describe-emotion hangs"):
            await analyse(analyzer, picture)
        return found

    found, _ = with_analyzer(networks, models, scenario, run_timeout_s=0.5)
    assert found.faces[0]["emotion"] == AttributeFailure(
        "emotion", ErrorReason.MODEL_FAILED, "describe-emotion did not end within 0.5 s"
    )
    assert isinstance(found.faces[0]["age"], Distribution)


def test_an_embedded_server_that_hangs_stays_and_is_not_ready(networks, raw_face, monkeypatch, failure):
    stuck = Stuck(networks.models.detector)
    models = replace(networks.models, detector=stuck)
    monkeypatch.setattr(embedded_module, "load_networks", lambda settings: replace(networks, models=models))
    with EmbeddedServer(Settings(run_timeout_s=0.3)) as target, grpc.insecure_channel(target) as channel:
        stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
        health = health_pb2_grpc.HealthStub(channel)
        stuck.ready = True
        request = service_pb2.AnalyzeRequest(image=raw_face)
        assert failure(stub.Analyze, request)[:2] == (grpc.StatusCode.INTERNAL, "model_failed")
        for _ in range(2):
            assert failure(stub.Analyze, request)[:2] == (grpc.StatusCode.UNAVAILABLE, "not_ready")
        assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.NOT_SERVING


HANGING_SERVER = """
import sys, threading
from dataclasses import replace
from faced_service import serving
from faced_service.main import main

class Stuck:
    def __init__(self, detector): self._detector = detector
    def __getattr__(self, name): return getattr(self._detector, name)
    def detect(self, images, plan, thresholds):
        if images[0].any():  # the warm-up's picture is black
            threading.Event().wait()
        return self._detector.detect(images, plan, thresholds)

def load(settings, load=serving.load_networks):
    networks = load(settings)
    return replace(networks, models=replace(networks.models, detector=Stuck(networks.models.detector)))

serving.load_networks = load
sys.exit(main(["serve", "--port", "0", "--run-timeout-s", "0.5"]))
"""


def test_a_server_that_hangs_answers_and_ends_with_its_own_exit_code(raw_face, failure):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACED_")}
    with subprocess.Popen(
        [sys.executable, "-c", HANGING_SERVER], stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        address = server.stderr.readline().split()[3].rstrip(",")
        with grpc.insecure_channel(address) as channel:
            stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
            status, reason, details = failure(stub.Analyze, service_pb2.AnalyzeRequest(image=raw_face))
        assert (status, reason) == (grpc.StatusCode.INTERNAL, "model_failed")
        assert details == "detect did not end within 0.5 s"
        said = server.stderr.read()
        assert server.wait(20) == 70
    assert "CRITICAL faced_service.analyzer: a run of detect did not end within 0.5 s" in said
