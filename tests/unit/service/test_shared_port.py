import socket

import pytest

from faced_service.addresses import AddressError
from faced_service.shared_port import shared_port


def listener(port, *, reuse_port, listen=True):
    other = socket.socket()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(reuse_port))
    try:
        other.bind(("127.0.0.1", port))
    except OSError:
        other.close()
        raise
    if listen:
        other.listen()
    return other


def test_workers_can_listen_on_the_port_and_get_its_calls():
    with (
        shared_port("127.0.0.1", 0) as port,
        listener(port, reuse_port=True) as first,
        listener(port, reuse_port=True) as second,
    ):
        for server in (first, second):
            server.settimeout(0.2)
        accepted = 0
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                for server in (first, second):
                    try:
                        server.accept()[0].close()
                        accepted += 1
                        break
                    except TimeoutError:
                        continue
        assert accepted == 20


@pytest.mark.parametrize("listening", [False, True])
def test_a_server_that_does_not_share_is_kept_out(listening):
    with shared_port("127.0.0.1", 0) as port:
        worker = listener(port, reuse_port=True) if listening else None
        with pytest.raises(OSError, match="in use"):
            listener(port, reuse_port=False)
        if worker is not None:
            worker.close()


@pytest.mark.parametrize("listening", [False, True])
def test_a_second_supervisor_is_refused(listening):
    with shared_port("127.0.0.1", 0) as port:
        worker = listener(port, reuse_port=True) if listening else None
        with pytest.raises(AddressError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            shared_port("127.0.0.1", port).__enter__()
        if worker is not None:
            worker.close()


@pytest.mark.parametrize("reuse_port", [False, True])
def test_a_port_that_is_taken_is_refused(reuse_port):
    with listener(0, reuse_port=reuse_port) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressError, match="in use"):
            shared_port("127.0.0.1", port).__enter__()


def test_the_port_is_free_again_afterwards():
    with shared_port("localhost", 0) as port:
        pass
    with shared_port("localhost", port) as again:
        assert again == port


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(AddressError, match=r"203\.0\.113\.1"):
        shared_port("203.0.113.1", 0).__enter__()
