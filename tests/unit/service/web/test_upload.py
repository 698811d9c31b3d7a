"""Forms as they come, without a server."""

import asyncio

import pytest
from starlette.requests import Request

from faced_service.errors import InvalidOption
from faced_service.web.upload import picture_bytes


def picture(*parts):
    """What is read of a form of these parts."""
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    scope = {"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=edge")]}

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return asyncio.run(picture_bytes(Request(scope, receive), max_bytes=1 << 22, limit_s=10))


IMAGE = b'content-disposition: form-data; name="image"; filename="face.jpg"\r\n\r\nthe picture'
OTHER = b'content-disposition: form-data; name="other"\r\n\r\nignored'
EMPTY = b"\r\n"


def test_the_picture_is_found_among_other_fields():
    assert picture(OTHER, IMAGE, OTHER) == b"the picture"
    assert picture(*[OTHER] * 63, IMAGE) == b"the picture"


@pytest.mark.parametrize(
    "parts", [[*[OTHER] * 64, IMAGE], [IMAGE, *[EMPTY] * 200_000]], ids=["at its end", "tiny ones"]
)
def test_a_form_of_more_parts_than_pages_send_is_refused_before_they_are_read(parts):
    with pytest.raises(InvalidOption, match="the form has more than 64 parts"):
        picture(*parts)
