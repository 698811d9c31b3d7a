"""`serve deploy` with the file of deploy/ray, on a Ray that was started by hand on this machine."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from faced_client import Client, Unauthenticated
from tests.conftest import ROOT
from tests.process import free_port
from tests.ray_head import ray_head

pytest.importorskip("ray", reason="needs the extra ray")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BIN = Path(sys.executable).parent
READY_S = 300


@pytest.fixture
def cluster():
    """A head with its dashboard; gives the dashboard's address and the environment of those who talk to it."""
    dashboard = free_port()
    environment = {
        **os.environ,
        "RAY_SERVE_GRPC_MAX_MESSAGE_SIZE": str(16 << 20),
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "50",
    }
    flags = ("--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}")
    with ray_head(*flags, ready=f"127.0.0.1:{dashboard}", port=free_port(), environment=environment) as callers:
        yield f"http://127.0.0.1:{dashboard}", callers


def state(address, token):
    """Of the application `faced`, as the dashboard tells it."""
    request = urllib.request.Request(f"{address}/api/serve/applications/", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["applications"].get("faced", {})


def test_the_file_for_a_cluster_is_deployed_and_serves(cluster, tmp_path, astronaut):
    address, environment = cluster
    token, port = secrets.token_urlsafe(24), free_port()
    (tmp_path / "tokens").write_text(f"tests:{token}\n")
    config = yaml.safe_load((ROOT / "deploy/ray/serve.yaml").read_text())
    config["http_options"] = {"host": "127.0.0.1", "port": free_port()}
    config["grpc_options"]["port"] = port
    (application,) = config["applications"]
    application["args"] |= {"token_file": str(tmp_path / "tokens"), "device": "cpu"}
    (deployment,) = application["deployments"]
    # This machine has no GPU, and few cores.
    deployment["ray_actor_options"] = {"num_cpus": 1}
    deployment["autoscaling_config"] |= {"min_replicas": 1, "max_replicas": 1}
    (tmp_path / "serve.yaml").write_text(yaml.safe_dump(config))
    command = [BIN / "serve", "deploy", "--address", address, tmp_path / "serve.yaml"]
    sent = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    deadline = time.monotonic() + READY_S
    while (now := state(address, environment["RAY_AUTH_TOKEN"])).get("status") != "RUNNING":
        assert now.get("status") != "DEPLOY_FAILED", now
        assert time.monotonic() < deadline, now
        time.sleep(1)
    with Client(f"127.0.0.1:{port}", token=token) as client:
        assert len(client.analyze(astronaut[:256, 96:352]).faces) == 1
        assert len(list(client.stream([astronaut[:256, 96:352]] * 3))) == 3
    with Client(f"127.0.0.1:{port}", token="another") as client, pytest.raises(Unauthenticated):
        client.server_info()
