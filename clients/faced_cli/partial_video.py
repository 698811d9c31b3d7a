"""The frames of an annotated video that was cut off, as they were encoded, for the file that takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.video.stream import VideoStream

_START_CODE = b"\x00\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class PartialVideo:
    """What an encoder must agree with to go on: size in pixels, and parameter sets."""

    path: Path
    width: int
    height: int
    parameters: frozenset[bytes]

    def frames(self, time_base: Fraction) -> Iterator[tuple[int, int, Packet[VideoStream]]]:
        """Begin and duration in ticks of `time_base`, and the packet, of each whole frame."""
        with suppress(OSError, av.error.FFmpegError), av.open(str(self.path)) as container:  # its end is missing
            stream = container.streams.video[0]
            to_start_codes = BitStreamFilterContext("h264_mp4toannexb", stream)
            for packet in container.demux(stream):
                if packet.size == 0 or packet.is_corrupt or packet.pts is None or packet.time_base is None:
                    return
                begin, lasts = (ticks * packet.time_base / time_base for ticks in (packet.pts, packet.duration or 0))
                if begin.denominator != 1:
                    return
                for whole in to_start_codes.filter(packet):
                    yield int(begin), round(lasts), whole


def partial_video(path: Path) -> PartialVideo | None:
    """The video at `path`; None if nothing of it can be read."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            if context.name != "h264" or not context.extradata:
                return None
            return PartialVideo(path, stream.width, stream.height, _of_avcc(context.extradata))
    except (OSError, av.error.FFmpegError, IndexError):
        return None


def parameters_of(stream: VideoStream) -> frozenset[bytes]:
    """The parameter sets of an encoder that is open."""
    return frozenset(part for part in (stream.codec_context.extradata or b"").split(_START_CODE) if part)


def _of_avcc(data: bytes) -> frozenset[bytes]:
    """Sequence and picture parameter sets of an MP4's `avcC` (ISO/IEC 14496-15, 5.3.3.1)."""
    sets, at = [], 5
    for mask in (0x1F, 0xFF):
        count, at = data[at] & mask, at + 1
        for _ in range(count):
            length = int.from_bytes(data[at : at + 2], "big")
            sets.append(data[at + 2 : at + 2 + length])
            at += 2 + length
    return frozenset(sets)
