"""The file of tokens: who may call. Tokens are kept as digests, compared in constant time, and never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from faced_service.watched_files import FileFault, read_file

_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,63})\s*:\s*(?P<token>[!-~]+)")


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Digests of tokens and the names of their holders; a name may have several while its token is exchanged."""

    rows: tuple[tuple[bytes, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All holders, each once."""
        return tuple(dict.fromkeys(name for _, name in self.rows))

    def name_of(self, digest: bytes) -> str | None:
        """The holder of a token, or None; takes equally long for all tokens."""
        found = None
        for known, name in self.rows:
            if compare_digest(known, digest):
                found = name
        return found


def read_tokens(path: Path) -> TokenTable:
    """A file with one `name:token` a line; empty lines and those that begin with `#` count for nothing.

    Raises:
        FileFault: it cannot be read, holds no token, or a line is none; says which line, not what is in it.
    """
    try:
        text = read_file(path).decode()
    except UnicodeDecodeError as error:
        raise FileFault(f"{path} is no text") from error
    rows = dict(_rows(path, text))
    if not rows:
        raise FileFault(f"{path} holds no token; a line is name:token")
    return TokenTable(tuple(rows.items()))


def _rows(path: Path, text: str) -> Iterator[tuple[bytes, str]]:
    lines: dict[bytes, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise FileFault(
                f"{path}, line {number}: not name:token, with a name of letters, digits, '.', '_' and '-' (64 at most) "
                "and a token of visible ASCII characters"
            )
        digest = digest_of(found["token"])
        if digest in lines:
            raise FileFault(f"{path}, line {number}: has the token of line {lines[digest]}")
        lines[digest] = number
        yield digest, found["name"]
