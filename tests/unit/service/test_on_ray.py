"""The adapter around Ray Serve, as far as it goes without Ray."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from faced_service.on_ray.context import CallEnded, RayContext
from faced_service.on_ray.exclusions import NOT_ON_RAY, check_for_ray
from faced_service.on_ray.proxy import add_to_proxy, put_right
from faced_service.settings import Settings, SettingsError
from tests.conftest import ROOT

OPEN = Settings(insecure=True)
REFUSED = [
    ({"host": "0.0.0.0"}, "host cannot be had with engine = ray"),
    ({"tls_cert": Path("c"), "tls_key": Path("k")}, "tls_cert cannot be had with engine = ray: TLS ends in front"),
    ({"workers": 2}, "give ray_max_replicas"),
    ({"metrics_port": 0}, "metrics_port cannot be had"),
    ({"web_port": 0}, "web_port cannot be had"),
    ({"reflection": True}, "would ask for no token"),
    ({"drain_wait_s": 1.0}, "drain_wait_s cannot be had"),
]


class AbortedError(Exception):
    """The call ended without a reply."""


class Context:
    """What grpc.aio and Ray both have of a call's end."""

    def __init__(self, code=0, details="", trailer=()):
        self._code, self._details, self._trailer = code, details, trailer

    def code(self):
        return self._code

    def set_code(self, code):
        self._code = code

    def set_details(self, details):
        self._details = details

    def details(self):
        return self._details

    async def abort(self, code, details, trailer):
        assert (details, trailer) == (self._details, tuple(self._trailer))
        raise AbortedError(code)

    def trailing_metadata(self):
        return self._trailer

    def set_trailing_metadata(self, trailer):
        self._trailer = trailer

    @property
    def told(self):
        return self._code, self._details, dict(self._trailer)


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_what_ray_has_no_way_for_is_refused_by_name(given, said):
    with pytest.raises(SettingsError, match=said):
        check_for_ray(replace(OPEN, **given))


def test_an_open_server_on_all_addresses_must_be_wanted():
    with pytest.raises(SettingsError, match="listen on all addresses"):
        check_for_ray(Settings())
    check_for_ray(OPEN)
    check_for_ray(Settings(token_file=Path("tokens")))


def test_a_ray_of_one_machine_is_kept_to_the_loopback_or_listens_everywhere(monkeypatch):
    check_for_ray(Settings(), local=True)
    check_for_ray(Settings(host="localhost"), local=True)
    check_for_ray(replace(OPEN, host="0.0.0.0"), local=True)
    with pytest.raises(SettingsError, match="or, of faced serve --engine ray, on the loopback"):
        check_for_ray(replace(OPEN, host="192.0.2.7"), local=True)
    # Ray's HAProxy knows no host.
    monkeypatch.setenv("RAY_SERVE_ENABLE_HA_PROXY", "1")
    with pytest.raises(SettingsError, match="listen on all addresses"):
        check_for_ray(Settings(), local=True)
    check_for_ray(OPEN, local=True)


def test_the_contract_is_excused_by_rows_of_the_table_alone():
    page = (ROOT / "docs/ray.md").read_text(encoding="utf-8")
    rows = {row for cells in re.findall(r"^\| (.*?) \|", page, re.MULTILINE) for row in cells.split(", ")}
    contract = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/integration/service").glob("*.py"))
    excused = re.findall(r'^@pytest.mark.not_on_ray\("(.+)"\)$', contract, re.MULTILINE)
    assert excused == ["grpc.health.v1"]
    assert {f"`{row}`" for row in excused} < rows
    assert {f"`{name}`" for name in NOT_ON_RAY} < rows


def test_fewer_replicas_at_most_than_at_least_are_refused():
    with pytest.raises(SettingsError, match="ray_min_replicas is above"):
        Settings(ray_min_replicas=2)


def ended(code, trailer=()):
    """How a call ends that Ray ended with this code."""

    async def handler(_request, context):
        context.set_code(code.value[0])
        context.set_details("Ray's own words, of many lines")
        return b""

    context = Context(trailer=trailer)
    if code is grpc.StatusCode.OK:
        asyncio.run(put_right(handler)(b"", context))
    else:
        # Callers repeat only calls that had no reply.
        with pytest.raises(AbortedError):
            asyncio.run(put_right(handler)(b"", context))
    return context.told


@pytest.mark.parametrize(
    ("code", "becomes", "reason"),
    [
        (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE, "not_ready"),
        (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE, "not_ready"),
        (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE, "not_ready"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.DEADLINE_EXCEEDED, "deadline"),
    ],
)
def test_what_ray_says_itself_gets_a_status_to_come_again_by(code, becomes, reason):
    status, details, trailer = ended(code, (("request_id", "7"),))
    assert (status, trailer) == (becomes, {"request_id": "7", "faced-reason": reason})
    assert "Ray's own words" not in details


def test_rays_full_queue_says_when_to_come_again():
    status, _, trailer = ended(grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert trailer == {"faced-reason": "overloaded", "retry-after-ms": "1000"}


def test_what_the_service_said_stays_as_it_is():
    trailer = (("faced-reason", "model_failed"),)
    code = grpc.StatusCode.INTERNAL.value[0]
    assert ended(grpc.StatusCode.INTERNAL, trailer) == (code, "Ray's own words, of many lines", dict(trailer))
    assert ended(grpc.StatusCode.OK)[0] == 0


def test_the_reply_that_stands_for_an_error_is_left_out_of_a_stream():
    async def handler(_requests, _context):
        yield b"one"
        yield b""

    async def run():
        return [reply async for reply in put_right(handler)(None, Context())]

    assert asyncio.run(run()) == [b"one"]


def test_other_services_of_the_proxy_keep_rays_own_handlers():
    class Server:
        service_handler_factory = staticmethod(lambda **_: None)
        taken = ()

        def add_generic_rpc_handlers(self, handlers):
            self.taken = handlers
            self.used = self.service_handler_factory

    server = Server()
    before = server.service_handler_factory
    add_to_proxy(None, server)
    assert server.service_handler_factory is before
    assert server.used is not before
    details = type("Details", (), {"method": "/faced.v1.FaceAnalysisService/AnalyzeStream", "invocation_metadata": ()})
    handler = server.taken[0].service(details())
    assert (handler.request_streaming, handler.response_streaming) == (True, True)
    # Bytes go on as they are.
    assert handler.request_deserializer is None


def test_replies_wait_until_the_one_before_is_taken():
    written = []

    async def run():
        context = RayContext(Context())

        async def call():
            for number in range(5):
                await context.write(number)
                written.append(number)

        replies = context.replies(call())
        assert await anext(replies) == 0
        await asyncio.sleep(0.01)
        assert len(written) == 1
        return [reply async for reply in replies]

    assert asyncio.run(run()) == [1, 2, 3, 4]
    assert written == [0, 1, 2, 3, 4]


def test_an_error_comes_after_the_replies_and_stands_in_rays_context():
    inner = Context()

    async def run():
        context, seen = RayContext(inner), []

        async def call():
            await context.write("first")
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no", (("faced-reason", "stream_order"),))

        replies = context.replies(call())
        seen.append(await anext(replies))
        with pytest.raises(CallEnded):
            await anext(replies)
        return seen

    assert asyncio.run(run()) == ["first"]
    assert inner.told == (grpc.StatusCode.INVALID_ARGUMENT, "no", {"faced-reason": "stream_order"})


def test_a_call_that_nobody_follows_any_more_is_cancelled():
    ended = []

    async def run():
        context = RayContext(Context())

        async def call():
            try:
                while True:
                    await context.write("reply")
            finally:
                ended.append(True)

        replies = context.replies(call())
        await anext(replies)
        await replies.aclose()

    asyncio.run(run())
    assert ended == [True]
