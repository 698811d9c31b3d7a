"""The two clients do not drift apart, and the package stays light."""

import inspect
import subprocess
import sys

import pytest

from faced_client import AsyncClient, Client

DIFFERENT_FRAMES = {
    Client: "collections.abc.Iterable[",
    AsyncClient: "collections.abc.AsyncIterable[",
}


def public_names(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_same_names():
    assert public_names(Client) == public_names(AsyncClient) == {"analyze", "close", "server_info", "stream"}


@pytest.mark.parametrize("name", ["__init__", "analyze", "close", "server_info", "stream"])
def test_the_same_signatures(name):
    sync, aio = (inspect.signature(getattr(kind, name)) for kind in (Client, AsyncClient))
    assert list(sync.parameters) == list(aio.parameters)
    for parameter, other in zip(sync.parameters.values(), aio.parameters.values(), strict=True):
        assert (parameter.kind, parameter.default) == (other.kind, other.default)
        if parameter.name == "frames":
            assert str(parameter.annotation).startswith(DIFFERENT_FRAMES[Client])
            assert str(other.annotation).startswith(DIFFERENT_FRAMES[AsyncClient])
            assert str(other.annotation).endswith(str(parameter.annotation))
        else:
            assert parameter.annotation == other.annotation
    if name != "stream":
        assert sync.return_annotation == aio.return_annotation


def test_calls_of_the_asynchronous_client_are_awaited():
    for name in ("analyze", "close", "server_info"):
        assert inspect.iscoroutinefunction(getattr(AsyncClient, name))
    assert inspect.isasyncgenfunction(AsyncClient.stream)
    assert inspect.isgeneratorfunction(Client.stream)


def test_importing_needs_grpc_protobuf_and_numpy_only():
    code = (
        "import sys; before = set(sys.modules); import faced_client\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(name for name in new - sys.stdlib_module_names if not name.startswith('_')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    # grpc itself looks for its three companions and does without them.
    optional = {"grpc_health", "grpc_reflection", "grpc_tools", "cython_runtime"}
    needed = {"faced_client", "faced_proto", "google", "grpc", "numpy", "typing_extensions"}
    assert set(found) <= needed | optional
    assert "faced_client" in found


def test_without_opencv_arrays_go_raw_and_encoding_says_what_is_missing(monkeypatch):
    import numpy as np

    from faced_client import ConfigurationError
    from faced_client.images import image_form, image_message

    monkeypatch.setitem(sys.modules, "cv2", None)
    image = np.zeros((40, 40, 3), np.uint8)
    raw = image_message(image, image_form("rgb", "raw", 0, False), 1 << 20)
    assert len(raw.raw.planes[0].data) == 4800
    with pytest.raises(ConfigurationError, match="to be sent as png, and encoding needs OpenCV"):
        image_message(image, image_form("rgb", "png", 0, False), 1 << 20)
    with pytest.raises(ConfigurationError, match="larger than the server takes raw, and encoding needs OpenCV"):
        image_message(image, image_form("rgb", "raw", 0, False), 4096 + 4799)
