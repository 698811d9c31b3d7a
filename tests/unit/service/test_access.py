import asyncio
from time import monotonic

import pytest

from faced_service.access import Access, Caller, open_access
from faced_service.errors import Overloaded, QuotaExceeded, Unauthenticated
from faced_service.settings import Settings, SettingsError


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("door:t0k-door\nhall:t0k-hall\n")
    return path


def who(access, authorization, certificate=None, host="ipv4:192.0.2.7"):
    return access.caller(authorization, certificate=certificate, host=host)


@pytest.mark.parametrize("header", ["Bearer t0k-door", "bearer t0k-door", " BEARER   t0k-door "])
def test_a_known_token_is_its_holder(tokens, header):
    caller = who(open_access(Settings(token_file=tokens)), header, certificate="x")
    assert (caller.name, caller.label) == ("token door", "door")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, "needs a token: send authorization: Bearer TOKEN"),
        ("", "not of the form"),
        ("t0k-door", "not of the form"),
        ("Basic t0k-door", "not of the form"),
        ("Bearer", "not of the form"),
        ("Bearer t0k door", "not of the form"),
        ("Bearer t0k-doo", "does not know the token"),
        ("Bearer T0K-DOOR", "does not know the token"),
    ],
)
def test_everything_else_is_unauthenticated(tokens, header, said):
    with pytest.raises(Unauthenticated, match=said) as caught:
        who(open_access(Settings(token_file=tokens)), header)
    assert "t0k" not in str(caught.value).lower()


def test_without_tokens_certificate_or_host_is_the_name_and_never_the_label():
    access = open_access(Settings())
    assert who(access, "Bearer anything") == Caller("host ipv4:192.0.2.7", "")
    assert who(access, None, certificate="camera 7") == Caller("certificate camera 7", "")


def test_tokens_are_exchanged_while_calls_last(tokens):
    access = open_access(Settings(token_file=tokens))
    door, hall = who(access, "Bearer t0k-door"), who(access, "Bearer t0k-hall")
    tokens.write_text("door:new-door\nhall:t0k-hall\n")
    assert who(access, "Bearer new-door").label == "door"
    with pytest.raises(Unauthenticated):
        who(access, "Bearer t0k-door")
    access.recheck(hall)
    with pytest.raises(Unauthenticated, match="any more"):
        access.recheck(door)


def test_no_usable_file_of_tokens_prevents_the_start(tmp_path):
    with pytest.raises(SettingsError, match=r"token_file: .*absent cannot be read"):
        open_access(Settings(token_file=tmp_path / "absent"))


def access(**limits):
    return Access(None, **{"requests_per_second": None, "streams_per_caller": 2, "max_streams": 3} | limits)


def test_requests_beyond_the_rate_are_refused_and_say_when_to_come_again():
    subject = access(requests_per_second=2)
    for _ in range(2):
        subject.count_request(Caller("a"))
    with pytest.raises(QuotaExceeded, match="requests_per_second is used up") as caught:
        subject.count_request(Caller("a"))
    assert 0.4 < caught.value.retry_after <= 0.5
    subject.count_request(Caller("b"))


def test_frames_beyond_the_rate_wait():
    async def play():
        subject = access(requests_per_second=20)
        begin = monotonic()
        for _ in range(26):
            await subject.wait_for_turn(Caller("a"))
        return monotonic() - begin

    assert 0.28 < asyncio.run(play()) < 0.6


def test_a_frame_that_is_cancelled_while_it_waits_was_no_request():
    async def play():
        subject = access(requests_per_second=2)
        for _ in range(2):
            subject.count_request(Caller("a"))
        waiting = [asyncio.create_task(subject.wait_for_turn(Caller("a"))) for _ in range(8)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(QuotaExceeded) as caught:
            subject.count_request(Caller("a"))
        return caught.value.retry_after

    assert 0.2 < asyncio.run(play()) <= 0.5


def test_streams_are_counted_for_each_caller_and_for_all():
    subject = access()
    with subject.stream(Caller("a")):
        with subject.stream(Caller("a")):
            with pytest.raises(QuotaExceeded, match="streams_per_caller is 2"), subject.stream(Caller("a")):
                pass
            with subject.stream(Caller("b")):
                with pytest.raises(Overloaded, match="max_streams is 3") as caught, subject.stream(Caller("b")):
                    pass
                assert caught.value.retry_after == 1
        with subject.stream(Caller("a")):
            pass


def test_a_stream_that_fails_gives_its_place_back():
    subject = access(streams_per_caller=1)
    with pytest.raises(ZeroDivisionError), subject.stream(Caller("a")):
        raise ZeroDivisionError
    with subject.stream(Caller("a")):
        pass
