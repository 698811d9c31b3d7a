"""Ray's context of a call as the `CallContext` that the RPCs want."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import grpc
from google.protobuf.message import Message

from faced_service.call_context import Metadata

if TYPE_CHECKING:
    from ray.serve.grpc_util import RayServegRPCContext


class CallEnded(Exception):  # noqa: N818 - no error: the call has its status
    """The call was ended with a status that its context holds."""


class RayContext:
    """Replies that are written wait until Ray takes the one before.

    Ray forgets metadata where a method raises, so a call that ends with an error returns, with the status in Ray's
    context; see `proxy.py` for the other end.
    """

    def __init__(self, context: RayServegRPCContext) -> None:
        self._context = context
        self._replies: asyncio.Queue[Message | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(1)

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]]:
        """What the caller sent along."""
        metadata: Sequence[tuple[str, str | bytes]] = self._context.invocation_metadata()
        return metadata

    def auth_context(self) -> Mapping[str, Sequence[bytes]]:
        """Empty: TLS ends in front of Ray."""
        return {}

    def peer(self) -> str:
        """Who connected to Ray's proxy; another proxy in front of it hides its callers."""
        return str(self._context.peer())

    def time_remaining(self) -> float | None:
        """Ray does not pass gRPC's deadline on; the one in the message counts, and Ray cancels what is overdue."""
        return None

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        """To be sent with the status."""
        self._context.set_trailing_metadata(list(trailing_metadata))

    async def write(self, message: Message) -> None:
        """Hand a reply to Ray."""
        await self._room.acquire()
        self._replies.put_nowait(message)

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Metadata) -> NoReturn:
        """End the call."""
        self._context.set_code(code)
        self._context.set_details(details)
        self.set_trailing_metadata(trailing_metadata)
        raise CallEnded

    async def replies(self, call: Coroutine[None, None, None]) -> AsyncIterator[Message]:
        """What `call` writes; it is cancelled where nobody takes it any more.

        Raises:
            CallEnded: after the last reply, where the call has an error.
        """
        running = asyncio.create_task(call)
        running.add_done_callback(lambda _: self._replies.put_nowait(None))
        try:
            while (reply := await self._replies.get()) is not None:
                yield reply
                self._room.release()
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
