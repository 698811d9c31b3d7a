"""The frame of a JPEG file, and whether its scans hold every block of every component (ITU T.81, A.2, B.2, G.1).

Decoders fill what is missing with grey and say nothing. Frames that are coded with Huffman tables of 8 bits, sequential
or progressive, are followed; for others, and for scans with tables that the file leaves out (Motion JPEG), the decoder
has the word.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faced_models.jpeg_scan import BROKEN, PADDING, WHOLE
from faced_models.kernels import load_kernels
from faced_service.errors import ImageCorrupt, ImageTruncated

_SEQUENTIAL = frozenset({0xC0, 0xC1})
_PROGRESSIVE = 0xC2
_MAX_SCANS = 256
_KEPT_LOOKUPS = 8
"""The frames of a camera share their tables; those of one scan take at most 1 MB."""

_AC = 0x10
_RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
_UNKNOWN = 255


@dataclass(slots=True)
class _Component:
    """Sampling factors, blocks across and down in a scan of its own, and how far its coefficients are known."""

    across: int
    down: int
    columns: int
    rows: int
    nonzero: NDArray[np.uint64] | None = None
    missing_bits: NDArray[np.uint8] = field(default_factory=lambda: np.full(64, _UNKNOWN, np.uint8))


class JpegFrame:
    """Made from the marker and the content of a frame header, then told the scans in their order.

    Raises:
        ImageCorrupt: the header contradicts itself.
        struct.error: it ends early.
    """

    def __init__(self, marker: int, content: bytes) -> None:
        precision, height, width, count = struct.unpack_from(">BHHB", content)
        self._progressive = marker == _PROGRESSIVE
        self._followed = precision == 8 and (self._progressive or marker in _SEQUENTIAL)
        entries = [struct.unpack_from("BBB", content, 6 + 3 * i) for i in range(count)]
        factors = {number: (sampling >> 4, sampling & 15) for number, sampling, _ in entries}
        if len(factors) != count or not all(1 <= n <= 4 for pair in factors.values() for n in pair):
            raise ImageCorrupt("the JPEG file's frame header is broken")
        most_across = max((across for across, _ in factors.values()), default=1)
        most_down = max((down for _, down in factors.values()), default=1)
        self._columns, self._rows = _ceil(width, 8 * most_across), _ceil(height, 8 * most_down)
        self._components = {
            number: _Component(
                across, down, _ceil(_ceil(width * across, most_across), 8), _ceil(_ceil(height * down, most_down), 8)
            )
            for number, (across, down) in factors.items()
        }
        self._scans = 0

    def check_scan(self, header: bytes, data: bytes, tables: Mapping[int, bytes], restart_interval: int) -> None:
        """Follow one scan; `tables` by class and number, each 16 counts and symbols.

        Raises:
            ImageTruncated: blocks are missing.
            ImageCorrupt: the scan contradicts the frame, or holds what is no code.
            struct.error: its header ends early.
        """
        self._scans += 1
        if self._scans > _MAX_SCANS:
            raise ImageCorrupt(f"the JPEG file has more than {_MAX_SCANS} scans")
        if not self._followed:
            return
        (count,) = struct.unpack_from("B", header)
        chosen = [struct.unpack_from("BB", header, 1 + 2 * i) for i in range(count)]
        first, last, bits = struct.unpack_from("BBB", header, 1 + 2 * count)
        before, after = bits >> 4, bits & 15
        if not self._progressive:
            first, last, before, after = 0, 63, 0, 0
        numbers = {number for number, _ in chosen}
        fits = len(numbers) == count and 1 <= count <= 4 and numbers <= self._components.keys()
        # In progressive frames, a scan holds DC of any components, or AC of one.
        band = first <= last <= 63 and (not self._progressive or (last == 0 if first == 0 else count == 1))
        if not fits or not band:
            raise ImageCorrupt("the JPEG file has a scan that does not fit its frame")
        parts = [self._components[number] for number, _ in chosen]
        for part in parts:
            part.missing_bits[first : last + 1] = after
        alone = count == 1
        repeats = [1 if alone else part.across * part.down for part in parts]
        dc = [selector >> 4 for (_, selector), n in zip(chosen, repeats, strict=True) for _ in range(n)]
        ac = [_AC | selector & 15 for (_, selector), n in zip(chosen, repeats, strict=True) for _ in range(n)]
        used = sorted({*(dc if first == 0 and not before else ()), *(ac if last else ())})
        if not all(number in tables for number in used):
            return
        mcus = parts[0].columns * parts[0].rows if alone else self._columns * self._rows
        result = load_kernels().follow_scan(
            *_intervals(data, mcus, restart_interval or mcus),
            mcus,
            restart_interval or mcus,
            _rows_of(dc, used),
            _rows_of(ac, used),
            _lookups(tuple(tables[number] for number in used)),
            first,
            last,
            before > 0,
            self._known(parts[0]) if self._progressive and first else np.zeros(0, np.uint64),
        )
        if result == BROKEN:
            raise ImageCorrupt("the JPEG file's pixels are damaged")
        if result != WHOLE:
            raise ImageTruncated("the JPEG file's pixels end before its picture does")

    def check_all_there(self) -> None:
        """To be called after the last scan.

        Raises:
            ImageTruncated: coefficients of a component came in no scan, or not to their last bit.
        """
        if self._followed and any(part.missing_bits.any() for part in self._components.values()):
            raise ImageTruncated("the JPEG file lacks some of its scans")

    @staticmethod
    def _known(part: _Component) -> NDArray[np.uint64]:
        if part.nonzero is None:
            part.nonzero = np.zeros(part.columns * part.rows, np.uint64)
        return part.nonzero


def _ceil(value: int, divisor: int) -> int:
    return -(-value // divisor)


def _intervals(data: bytes, mcus: int, interval: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Bytes of a scan without stuffing, padded; start and end of each restart interval."""
    wanted = _ceil(mcus, interval)
    parts = [part.replace(b"\xff\x00", b"\xff") for part in (_RESTART.split(data) if wanted > 1 else [data])]
    if len(parts) < wanted:
        raise ImageTruncated(f"the JPEG file has {len(parts)} of its {wanted} restart intervals")
    ends = np.cumsum([len(part) for part in parts[:wanted]], dtype=np.int64)
    starts = np.concatenate(([0], ends[:-1])).astype(np.int64)
    return np.frombuffer(bytearray().join([*parts[:wanted], bytes(PADDING)]), np.uint8), starts, ends


def _rows_of(numbers: list[int], used: list[int]) -> NDArray[np.int64]:
    # A table that the scan does not use has no row, and none is looked at.
    return np.array([used.index(number) if number in used else 0 for number in numbers], np.int64)


@lru_cache(maxsize=_KEPT_LOOKUPS)
def _lookups(tables: tuple[bytes, ...]) -> NDArray[np.uint16]:
    return np.stack([_lookup(table) for table in tables]) if tables else np.zeros((1, 1), np.uint16)


def _lookup(table: bytes) -> NDArray[np.uint16]:
    """For each 16 bits the code that they begin with: length times 256 plus symbol; 0 = none."""
    lengths = np.repeat(np.arange(1, 17), list(table[:16]))
    symbols = np.frombuffer(table, np.uint8, offset=16)
    spans = 1 << (16 - lengths)
    if len(symbols) != len(lengths) or spans.sum() > 1 << 16:
        raise ImageCorrupt("the JPEG file has a broken Huffman table")
    lookup = np.zeros(1 << 16, np.uint16)
    lookup[: spans.sum()] = np.repeat(lengths * 256 + symbols, spans)
    return lookup
