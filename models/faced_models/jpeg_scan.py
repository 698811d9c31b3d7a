"""The entropy-coded data of a JPEG scan, followed without decoding its picture (ITU T.81, F.2.2 and G.1.2).

Plain Python here; `kernels` compiles it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PADDING = 4096
"""Zero bytes that `data` needs at its end: no block can take more."""

FOLLOW_SCAN_SIGNATURE = "i8(u1[::1], i8[::1], i8[::1], i8, i8, i8[::1], i8[::1], u2[:, ::1], i8, i8, b1, u8[::1])"

WHOLE, TOO_SHORT, BROKEN = 0, 1, 2


def follow_scan(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    mcus: int,
    mcus_of_interval: int,
    dc_tables: NDArray[np.int64],
    ac_tables: NDArray[np.int64],
    tables: NDArray[np.uint16],
    first: int,
    last: int,
    refines: bool,
    nonzero: NDArray[np.uint64],
) -> int:
    """WHOLE if every block of the scan is there, TOO_SHORT where data ends first, BROKEN at what is no Huffman code.

    `data` is without stuffed bytes, padded by `PADDING`; `starts` and `ends` [intervals] are bytes of it. `dc_tables`
    and `ac_tables` [blocks of an MCU] are rows of `tables` [n, 65536]: what the next 16 bits begin with, as code length
    times 256 plus symbol, 0 = no code. Coefficients `first` to `last`; `refines`: a later bit of known ones.
    `nonzero` [blocks of the component] is empty in a sequential scan, else bit k says that coefficient k is not 0
    so far; it is brought up to date.
    """
    sequential = nonzero.size == 0
    one = np.uint64(1)
    for interval in range(starts.size):
        at, end = starts[interval] * 8, ends[interval] * 8
        blocks_to_skip = 0
        for mcu in range(interval * mcus_of_interval, min((interval + 1) * mcus_of_interval, mcus)):
            mask = np.uint64(0) if sequential else nonzero[mcu]
            for block in range(dc_tables.size):
                k = first
                if first == 0:
                    k = 1
                    if refines:
                        at += 1
                    else:
                        byte = at >> 3
                        word = np.int64(data[byte]) << 16 | np.int64(data[byte + 1]) << 8 | np.int64(data[byte + 2])
                        code = np.int64(tables[dc_tables[block], (word >> (8 - (at & 7))) & 0xFFFF])
                        if code == 0 or code & 255 > 16:
                            return TOO_SHORT if at + 16 > end else BROKEN
                        at += (code >> 8) + (code & 255)
                if blocks_to_skip == 0:
                    while k <= last:
                        byte = at >> 3
                        word = np.int64(data[byte]) << 16 | np.int64(data[byte + 1]) << 8 | np.int64(data[byte + 2])
                        code = np.int64(tables[ac_tables[block], (word >> (8 - (at & 7))) & 0xFFFF])
                        if code == 0:
                            return TOO_SHORT if at + 16 > end else BROKEN
                        at += code >> 8
                        run, size = (code >> 4) & 15, code & 15
                        if size == 0 and run < 15:
                            # This block ends here; in progressive scans, so do the next ones.
                            blocks_to_skip = 1
                            if not sequential and run > 0:
                                byte = at >> 3
                                word = np.int64(data[byte]) << 16 | np.int64(data[byte + 1]) << 8
                                word |= np.int64(data[byte + 2])
                                blocks_to_skip = (1 << run) + (((word >> (8 - (at & 7))) & 0xFFFF) >> (16 - run))
                                at += run
                            break
                        at += size
                        if refines:
                            while k <= last:
                                if (mask >> np.uint64(k)) & one:
                                    at += 1
                                elif run == 0:
                                    break
                                else:
                                    run -= 1
                                k += 1
                        else:
                            k += int(run)
                        if size > 0:
                            if k > last:
                                return TOO_SHORT if at > end else BROKEN
                            mask |= one << np.uint64(k)
                        k += 1
                if blocks_to_skip > 0:
                    blocks_to_skip -= 1
                    if refines:
                        while k <= last:
                            at += 1 if (mask >> np.uint64(k)) & one else 0
                            k += 1
                if at > end:
                    return TOO_SHORT
            if not sequential:
                nonzero[mcu] = mask
    return WHOLE
