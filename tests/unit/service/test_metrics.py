import re
import urllib.error
import urllib.request

import pytest

from faced_models.thrifty_detector import MemoryStep
from faced_proto.types import (
    DropReason,
    EffectiveOptions,
    Engine,
    FrameAnalysis,
    ModelInfo,
    ModelRole,
    Precision,
    Rotation,
    Timing,
)
from faced_proto.version import __version__
from faced_service.metrics import Metrics, SharedMetrics, metrics_page

ENGINE = Engine("cpu", "onnxruntime", Precision.EXACT, "mmod")
MODEL = ModelInfo("age@1+0123", ModelRole.ATTRIBUTE, "age", None, False, "CC0-1.0", 64)


def analysis():
    return FrameAnalysis(
        640, 480, Rotation.NONE, (), 1.0, 80.0, EffectiveOptions(0, 0.0, None, ()), True,
        ENGINE,
        Timing(decode_us=1500, queue_us=0, detect_us=40_000, align_us=700, describe_us=2300, total_us=44_500),
    )  # fmt: skip


def page_of(metrics):
    with metrics_page(metrics.registry, "127.0.0.1", 0) as address:
        return urllib.request.urlopen(address, timeout=5).read().decode()


def test_the_page_has_what_was_counted():
    metrics = Metrics()
    metrics.request_ended("Analyze", "OK", "", 0.03)
    metrics.request_ended("Analyze", "OK", "door", 0.3)
    metrics.request_ended("Analyze", "INTERNAL", "", 0.3)
    metrics.files_reloaded("tokens", False)
    metrics.frame_analysed(analysis())
    metrics.frame_failed("image_corrupt")
    metrics.memory_was_short(MemoryStep.CPU)
    metrics.run_hung("detect")
    metrics.frame_dropped(DropReason.SUPERSEDED)
    metrics.picture_came("door")
    metrics.bytes_in_flight(4711)
    metrics.batch_began("describe-age", 5, [0.03, 0.2])
    metrics.networks_loaded(ENGINE, [MODEL])
    with metrics.frame_in_hand(), metrics.stream_open():
        page = page_of(metrics)
    for line in (
        'faced_requests_total{caller="",code="OK",method="Analyze"} 1.0',
        'faced_requests_total{caller="door",code="OK",method="Analyze"} 1.0',
        'faced_request_seconds_bucket{le="0.05",method="Analyze"} 1.0',
        'faced_request_seconds_count{method="Analyze"} 2.0',
        'faced_reloads_total{usable="false",what="tokens"} 1.0',
        'faced_frames_total{outcome="ok"} 1.0',
        'faced_frames_total{outcome="image_corrupt"} 1.0',
        "faced_faces_total 0.0",
        'faced_stage_seconds_sum{stage="detect"} 0.04',
        'faced_stage_seconds_bucket{le="0.02",stage="detect"} 0.0',
        'faced_stage_seconds_bucket{le="0.05",stage="detect"} 1.0',
        'faced_out_of_memory_total{step="cpu"} 1.0',
        'faced_out_of_memory_total{step="split"} 0.0',
        'faced_hung_runs_total{queue="detect"} 1.0',
        "faced_queue_depth 1.0",
        "faced_streams 1.0",
        'faced_frames_dropped_total{reason="superseded"} 1.0',
        'faced_frames_dropped_total{reason="too_old"} 0.0',
        'faced_pictures_total{caller="door"} 1.0',
        "faced_in_flight_bytes 4711.0",
        'faced_batch_size_sum{queue="describe-age"} 5.0',
        'faced_queue_wait_seconds_bucket{le="0.05",queue="describe-age"} 1.0',
        'faced_queue_wait_seconds_count{queue="describe-age"} 2.0',
        'faced_engine_info{backend="onnxruntime",device="cpu",precision="exact"} 1.0',
        'faced_model_info{attribute="age",model="age@1+0123",role="attribute"} 1.0',
        f'faced_build_info{{version="{__version__}"}} 1.0',
    ):
        assert line in page.splitlines(), line
    assert "faced_queue_depth 0.0" in page_of(metrics)


def test_the_memory_of_the_process_is_told():
    (line,) = re.findall(r"^faced_resident_bytes (\S+)$", page_of(Metrics()), re.MULTILINE)
    assert 20e6 < float(line) < 20e9


def test_two_servers_in_a_process_count_apart():
    first, second = Metrics(), Metrics()
    first.request_ended("Analyze", "OK", "", 0.1)
    labels = {"method": "Analyze", "code": "OK", "caller": ""}
    assert first.registry.get_sample_value("faced_requests_total", labels) == 1
    assert second.registry.get_sample_value("faced_requests_total", labels) is None


def test_the_page_is_gone_afterwards():
    with metrics_page(Metrics().registry, "127.0.0.1", 0) as address:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", address)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)


def test_shared_metrics_begin_empty_and_count_deaths(tmp_path):
    shared = SharedMetrics(tmp_path)
    assert shared.environment == {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    (tmp_path / "gauge_livesum_4711.db").write_bytes(b"")
    shared.worker_died(4711)
    assert list(tmp_path.iterdir()) == []
    assert "faced_worker_deaths_total 1.0" in page_of(shared)
