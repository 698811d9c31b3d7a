"""Who may call, and how much at a time; knows no transport."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from faced_service.errors import Overloaded, QuotaExceeded, Unauthenticated
from faced_service.rate_limit import RateLimit
from faced_service.settings import Settings, SettingsError
from faced_service.tokens import TokenTable, digest_of, read_tokens
from faced_service.watched_files import FileFault, OnReload, WatchedFiles, no_matter

_BEARER = re.compile(r"bearer +([!-~]+)", re.IGNORECASE)
_STREAM_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `name` is what limits and fairness go by; `label` is shown in metrics and logs.

    The label is the name of a token's holder, which the operator chose, or empty: what callers say of themselves
    is never one.
    """

    name: str
    label: str = ""
    token: bytes | None = None


def open_access(settings: Settings, on_reload: OnReload = no_matter) -> Access:
    """What the settings say, the tokens read.

    Raises:
        SettingsError: there is no usable file of tokens.
    """
    tokens, path = None, settings.token_file
    if path is not None:
        try:
            tokens = WatchedFiles("tokens", (path,), lambda: read_tokens(path), on_reload=on_reload)
        except FileFault as error:
            raise SettingsError(f"token_file: {error}") from error
    return Access(
        tokens,
        requests_per_second=settings.requests_per_second,
        streams_per_caller=settings.streams_per_caller,
        max_streams=settings.max_streams,
    )


class Access:
    """Tokens and allowances. Lives on one event loop."""

    def __init__(
        self,
        tokens: WatchedFiles[TokenTable] | None,
        *,
        requests_per_second: float | None,
        streams_per_caller: int,
        max_streams: int,
    ) -> None:
        """Without `tokens`, everybody may call."""
        self._tokens = tokens
        self._rate = None if requests_per_second is None else RateLimit(requests_per_second)
        self._streams_per_caller, self._max_streams = streams_per_caller, max_streams
        self._streams: Counter[str] = Counter()

    def caller(self, authorization: str | None, *, certificate: str | None, host: str) -> Caller:
        """Who shows the header `authorization`; without tokens, the name in the certificate or the host it is.

        Raises:
            Unauthenticated: there are tokens, and this is none of them.
        """
        if self._tokens is None:
            return Caller(f"host {host}" if certificate is None else f"certificate {certificate}")
        if authorization is None:
            raise Unauthenticated("this server needs a token: send authorization: Bearer TOKEN")
        found = _BEARER.fullmatch(authorization.strip())
        if found is None:
            raise Unauthenticated("authorization is not of the form: Bearer TOKEN")
        digest = digest_of(found[1])
        name = self._tokens.value.name_of(digest)
        if name is None:
            raise Unauthenticated("this server does not know the token")
        return Caller(f"token {name}", name, digest)

    def recheck(self, caller: Caller) -> None:
        """For calls that last: whether the token still counts.

        Raises:
            Unauthenticated: it was taken out of the file.
        """
        if self._tokens is not None and (caller.token is None or self._tokens.value.name_of(caller.token) is None):
            raise Unauthenticated("this server does not know the token any more")

    def count_request(self, caller: Caller) -> None:
        """A request begins.

        Raises:
            QuotaExceeded: the caller's requests of this second are used up.
        """
        if self._rate is not None and (delay := self._rate.take(caller.name)) > 0:
            raise QuotaExceeded("requests_per_second is used up", retry_after=delay)

    async def wait_for_turn(self, caller: Caller) -> None:
        """A frame of a stream is a request too: it waits where a call would be refused; cancelled, it is none."""
        if self._rate is None:
            return
        delay = self._rate.book(caller.name)
        try:
            await asyncio.sleep(delay)
        except asyncio.CancelledError:
            self._rate.give_back(caller.name)
            raise

    @contextmanager
    def stream(self, caller: Caller) -> Iterator[None]:
        """A stream while the context lasts.

        Raises:
            QuotaExceeded: the caller has as many streams as it may.
            Overloaded: all callers together have.
        """
        if self._streams[caller.name] >= self._streams_per_caller:
            raise QuotaExceeded(
                f"{self._streams_per_caller} streams of this caller are open, and streams_per_caller is "
                f"{self._streams_per_caller}",
                retry_after=_STREAM_RETRY_S,
            )
        if self._streams.total() >= self._max_streams:
            raise Overloaded(
                f"{self._max_streams} streams are open, and max_streams is {self._max_streams}",
                retry_after=_STREAM_RETRY_S,
            )
        self._streams[caller.name] += 1
        try:
            yield
        finally:
            self._streams[caller.name] -= 1
            if not self._streams[caller.name]:
                del self._streams[caller.name]
