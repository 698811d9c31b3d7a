"""Two nodes of Ray with a replica each; one is killed under load, and later comes back.

    python -m tests.bench.ray_faults

Callers use the SDK as everybody does. Counted are calls that were lost, frames of streams that were lost, repeated or
out of order, and how long nothing was answered.
"""

import logging
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import ray
from ray import serve
from ray.cluster_utils import Cluster
from ray.serve.config import HTTPOptions, gRPCOptions

from faced_client import Client, FacedError, StreamFrame
from faced_proto.types import FrameAnalysis, StreamConfig
from faced_service.bench.picture import bench_picture
from faced_service.on_ray.application import DEPLOYMENT, application_of
from faced_service.on_ray.local import ADD_TO_PROXY
from faced_service.settings import Settings
from tests.process import free_port

CALLERS, STREAMS = 4, 6
BEFORE_S, AFTER_S, AGAIN_S = 8.0, 25.0, 120.0
MOST_SILENCE_S = 15.0
NODE = {"num_cpus": 1, "object_store_memory": 100 << 20, "node_ip_address": "127.0.0.2"}


@dataclass
class Load:
    """Callers and streams that go on until they are told, and what became of them."""

    address: str
    token: str
    picture: np.ndarray
    ended: threading.Event = field(default_factory=threading.Event)
    answers: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    frames: int = 0

    def call(self) -> None:
        with Client(self.address, token=self.token) as client:
            while not self.ended.is_set():
                try:
                    client.analyze(self.picture, encode="jpeg:90", upsample_times=0, timeout=60)
                    self.answers.append(time.monotonic())
                except FacedError as error:
                    self.faults.append(f"call: {error!r}")

    def stream(self) -> None:
        sent = 0

        def frames() -> Iterator[StreamFrame]:
            nonlocal sent
            while not self.ended.is_set():
                yield StreamFrame(self.picture, media_time_us=sent * 300_000)
                sent += 1
                time.sleep(0.3)

        with Client(self.address, token=self.token) as client:
            config, expected = StreamConfig(track=True), 0
            try:
                for outcome in client.stream(frames(), config, encode="jpeg:90", reconnect=60):
                    if outcome.frame_id != expected or not isinstance(outcome.result, FrameAnalysis):
                        self.faults.append(f"stream: frame {outcome.frame_id} for {expected}: {outcome.result}"[:200])
                    expected = outcome.frame_id + 1
                    self.frames += 1
            except FacedError as error:
                self.faults.append(f"stream: {error!r}")
            if expected != sent:
                self.faults.append(f"stream: {sent} frames sent, {expected} answered")


class Resumed(logging.Handler):
    """Counts what the SDK says of streams that it takes up again."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    folder = tempfile.mkdtemp(prefix="faced-ray-")
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_SERVE_LOG_TO_STDERR": "0", "RAY_TMPDIR": folder}
    # The proxy is on the node that stays, and would spare the other one.
    os.environ["RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING"] = "0"
    os.environ["RAY_SERVE_PROXY_PREFER_LOCAL_AZ_ROUTING"] = "0"
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    cluster = Cluster(head_node_args={**NODE, "include_dashboard": False}, initialize_head=True)
    try:
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def replicas() -> int:
    """Those that run."""
    (application,) = serve.status().applications.values()
    return application.deployments[DEPLOYMENT].replica_states.get("RUNNING", 0)


def wait_for_replicas(count: int, most_s: float) -> float:
    """Seconds until so many ran."""
    begun = time.monotonic()
    while replicas() != count:
        if time.monotonic() - begun > most_s:
            raise TimeoutError(f"{replicas()} replicas instead of {count} after {most_s:g} s")
        time.sleep(0.2)
    return time.monotonic() - begun


def run(cluster: Cluster, folder: Path) -> bool:
    token, port = secrets.token_urlsafe(24), free_port()
    (folder / "tokens").write_text(f"load:{token}\n")
    second = cluster.add_node(**NODE)
    serve.start(
        proxy_location="HeadOnly",
        http_options=HTTPOptions(host="127.0.0.1", port=free_port()),
        grpc_options=gRPCOptions(port=port, grpc_servicer_functions=[ADD_TO_PROXY], enable_reflection=False),
    )
    # A node has one CPU, and so one replica.
    settings = Settings(
        token_file=folder / "tokens", cpu_threads=1, ray_min_replicas=2, ray_max_replicas=2, log_level="error"
    )
    serve.run(application_of(settings))
    wait_for_replicas(2, AGAIN_S)
    resumed = Resumed()
    logging.getLogger("faced_client.resumption").addHandler(resumed)
    load = Load(f"127.0.0.1:{port}", token, bench_picture(320, 240))
    threads = [threading.Thread(target=load.call) for _ in range(CALLERS)]
    threads += [threading.Thread(target=load.stream) for _ in range(STREAMS)]
    for thread in threads:
        thread.start()
    time.sleep(BEFORE_S)
    killed = time.monotonic()
    cluster.remove_node(second, allow_graceful=False)
    time.sleep(AFTER_S)
    cluster.add_node(**NODE)
    back = wait_for_replicas(2, AGAIN_S)
    time.sleep(BEFORE_S)
    load.ended.set()
    for thread in threads:
        thread.join(90)
    silence = np.diff([killed, *(time for time in sorted(load.answers) if time > killed)]).max(initial=0.0)
    after = sum(time > killed for time in load.answers)
    print(f"{len(load.answers)} calls answered, {after} after the node was killed; {load.frames} frames of streams")
    print(f"streams were taken up again {resumed.count} times")
    print(f"no answer for {silence:.1f} s at most; the second replica was back {back:.1f} s after its node")
    for fault in load.faults[:20]:
        print("FAULT", fault)
    print(f"{len(load.faults)} calls or frames lost, repeated or out of order")
    return not load.faults and resumed.count > 0 and after > 20 and silence <= MOST_SILENCE_S


def main() -> int:
    """Print what was counted; 1 if something was lost or the service stood still."""
    with tempfile.TemporaryDirectory(prefix="faced-faults-") as folder, two_nodes() as cluster:
        return 0 if run(cluster, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
