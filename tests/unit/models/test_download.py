import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from faced_models.download import kept_copy
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.store import verified_path
from tests.networks import entry

DATA = b"a network" * 1000
SHA = hashlib.sha256(DATA).hexdigest()


class Handler(SimpleHTTPRequestHandler):
    """Silent; counts requests, and breaks off in the middle of cut.onnx."""

    asked: list[str] = []  # noqa: RUF012 - cleared by the fixture

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.asked.append(self.path)
        if self.path.endswith("cut.onnx"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA[:100])
            self.close_connection = True
        else:
            super().do_GET()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACED_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "networks"


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(DATA)
    Handler.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_copy_that_another_user_fetched_can_be_read_where_nothing_can_be_written(site, cache):
    path = kept_copy(f"{site}/net.onnx", SHA)
    assert path.stat().st_mode & 0o777 == 0o644
    cache.chmod(0o555)
    try:
        assert kept_copy("http://127.0.0.1:1/net.onnx", SHA) == path
    finally:
        cache.chmod(0o755)


def test_what_cannot_be_read_is_told_and_long_names_are_cut(site, cache):
    with pytest.raises(WeightsError, match="cannot be fetched"):
        kept_copy(f"{site}/{'n' * 400}.onnx", SHA)
    (cache / f"{SHA[:16]}-net.onnx").mkdir()
    with pytest.raises(WeightsError, match=f"{SHA[:16]}-net.onnx cannot be read: Is a directory"):
        kept_copy(f"{site}/net.onnx", SHA)


def test_a_network_is_fetched_once_and_kept_under_its_digest(site, cache):
    path = kept_copy(f"{site}/net.onnx?v=1", SHA)
    assert path == cache / f"{SHA[:16]}-net.onnx"
    assert path.read_bytes() == DATA
    assert kept_copy(f"{site}/net.onnx?v=1", SHA) == path
    assert Handler.asked == ["/net.onnx?v=1"]
    assert list(cache.iterdir()) == [path]


def test_an_altered_copy_is_fetched_again(site, cache):
    path = kept_copy(f"{site}/net.onnx", SHA)
    path.write_bytes(b"other")
    assert kept_copy(f"{site}/net.onnx", SHA).read_bytes() == DATA
    assert len(Handler.asked) == 2


@pytest.mark.parametrize(
    ("name", "digest", "message"),
    [
        ("gone.onnx", SHA, r"gone\.onnx cannot be fetched: HTTP Error 404"),
        ("cut.onnx", SHA, r"cut\.onnx (cannot be fetched|is another file)"),
        ("net.onnx", "0" * 64, rf"net\.onnx is another file: expected SHA-256 {'0' * 64}, found {SHA}"),
    ],
)
def test_what_cannot_be_fetched_whole_leaves_nothing_behind(site, cache, name, digest, message):
    with pytest.raises(WeightsError, match=message):
        kept_copy(f"{site}/{name}", digest)
    assert list(cache.iterdir()) == []


def test_no_server_is_named_with_the_entry(cache, tmp_path):
    models_file = tmp_path / "mine.toml"
    models_file.write_text(entry(SHA, where='url = "http://127.0.0.1:1/net.onnx"'))
    light = load_manifest(models_file=models_file).attributes["light"]
    with pytest.raises(WeightsError, match=r"mine\.toml: network 'brightness': http://127\.0\.0\.1:1/net\.onnx cannot"):
        verified_path(light)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FACED_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="set FACED_CACHE_DIR"):
        kept_copy("http://127.0.0.1:1/net.onnx", SHA)
