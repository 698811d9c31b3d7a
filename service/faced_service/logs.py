"""Logging to standard error, for people or for collectors. Pictures and faces are never logged."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

REQUEST_ID_KEY = "x-request-id"
"""Metadata in which callers may give their own id, and get the one that was used."""

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id_from(given: str | None) -> str:
    """The caller's own id if it is one that may stand in a log, else a new one."""
    return given if given and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else uuid4().hex


@contextmanager
def request_ids(request_id: str) -> Iterator[str]:
    """What is logged in this context, and in tasks that it starts, bears the id."""
    reset = _request_id.set(request_id)
    try:
        yield request_id
    finally:
        _request_id.reset(reset)


def fields(**values: str | float) -> Mapping[str, Mapping[str, str | float]]:
    """For a logger's `extra`: keys of their own in JSON; plain lines leave them out."""
    return {"fields": values}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message; where known: request id, fields, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request_id := _request_id.get()) is not None:
            line["request_id"] = request_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PlainFormatter(logging.Formatter):
    """Time, level, logger and message, and the first eight characters of the request's id."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback where there is one."""
        request_id = _request_id.get()
        record.request = "" if request_id is None else f" [{request_id[:8]}]"
        return super().format(record)


def configure_logs(log_format: str, level: str) -> None:
    """Send everything from `level` up to standard error, as "plain" or "json"; replaces what was configured."""
    handler = logging.StreamHandler(sys.stderr)
    plain = PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s%(request)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else plain)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
