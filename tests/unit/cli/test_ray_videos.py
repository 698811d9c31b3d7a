"""What workers on other machines are told, and what a cluster must have."""

import pytest

from faced_cli.arguments import parse
from faced_cli.errors import UsageError

ray = pytest.importorskip("ray", reason="needs the extra ray")

from faced_cli import ray_videos  # noqa: E402


def test_variables_reach_the_workers_but_for_secrets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    caller = {
        "FACED_DEVICE": "cuda",
        "FACED_MODELS_FILE": "cats/models.toml",
        "FACED_CACHE_DIR": "",
        "FACED_TOKEN": "geheim",
        "FACED_CAMERA": "rtsp://joe:geheim@camera/",
        "HOME": "/home/joe",
    }
    assert ray_videos.passed_variables(caller) == {
        "FACED_DEVICE": "cuda",
        "FACED_MODELS_FILE": str(tmp_path / "cats/models.toml"),
        "FACED_CACHE_DIR": "",
    }


def test_every_file_setting_is_passed_with_an_absolute_path(tmp_path, monkeypatch):
    from faced_service.setting_kinds import FileName
    from faced_service.setting_sources import setting_entries

    monkeypatch.chdir(tmp_path)
    files = {entry.variable: "x" for entry in setting_entries() if isinstance(entry.kind, FileName)}
    assert set(ray_videos.passed_variables(files).values()) == {str(tmp_path / "x")}


def test_certificates_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = ["--server", "host:1", "--tls-ca", "ca.pem", "--tls-cert", "/own/cert.pem", "--tls-key", "own.key"]
    connection = parse(["status", *flags], {}).connection
    moved = ray_videos._anywhere(connection)
    assert list(map(str, (moved.tls_ca, moved.tls_cert, moved.tls_key))) == [
        f"{tmp_path}/ca.pem", "/own/cert.pem", f"{tmp_path}/own.key"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("resources", "gpus", "workers"),
    [({"CPU": 4.0}, 0.0, 4), ({}, 0.0, 1), ({"CPU": 8.0, "GPU": 2.0}, 0.5, 4), ({"CPU": 8.0, "GPU": 2.0}, 2.0, 1)],
)
def test_as_many_workers_as_have_room(monkeypatch, resources, gpus, workers):
    monkeypatch.setattr(ray, "cluster_resources", lambda: resources)
    assert ray_videos._most_workers(gpus) == workers


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ({"CPU": 4.0}, "--ray-gpus 1.5: the Ray cluster has no GPU"),
        ({"CPU": 4.0, "GPU": 1.0}, "--ray-gpus 1.5: the Ray cluster has 1 of them"),
    ],
)
def test_a_cluster_without_enough_gpus_is_told_of(monkeypatch, capsys, resources, told):
    monkeypatch.setattr(ray, "cluster_resources", lambda: resources)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UsageError) as error:
        ray_videos._most_workers(1.5)
    assert str(error.value) == told
    # Another cluster's autoscaler adds nodes for those that wait.
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    assert ray_videos._most_workers(1.5) == 1
    assert f"{told}; waiting for a node that has" in capsys.readouterr().err
