"""The sound of a video, carried into another file: copied packet by packet where MP4 can hold it, else as AAC."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from faced_cli.frames import file_start

_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_AAC_RATES = frozenset({96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350})


class AudioTracks:
    """All sound of the file at `path`, as packets for `output`; must be built before the first packet is written there.

    `notes` say in a sentence each what could not be copied.
    """

    def __init__(self, path: Path, output: OutputContainer) -> None:
        self.notes: list[str] = []
        self._source: InputContainer = av.open(str(path), metadata_errors="replace")
        self._start = file_start(self._source)
        self._tracks: dict[int, _Copy | _Aac] = {}
        for stream in self._source.streams.audio:
            self._add(stream, output)
        self._packets = self._muxable()
        self._next = next(self._packets, None)

    def until(self, time_s: Fraction) -> Iterator[av.Packet[Stream]]:
        """The packets that begin before `time_s` (seconds from the file's start) and were not given yet."""
        while self._next is not None and _begin(self._next) < time_s:
            yield self._next
            self._next = next(self._packets, None)

    def rest(self) -> Iterator[av.Packet[Stream]]:
        """All packets that were not given yet."""
        while self._next is not None:
            yield self._next
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Frees the source."""
        self._source.close()

    def _add(self, stream: AudioStream, output: OutputContainer) -> None:
        if stream.codec_context is None:
            self.notes.append("a sound track of an unknown codec is left out")
            return
        name = stream.codec_context.name
        if stream.codec_context.codec.canonical_name in _COPIED:
            self._tracks[stream.index] = _Copy(output.add_stream_from_template(stream), self._start)
            return
        self._tracks[stream.index] = _Aac(stream, output, self._start)
        self.notes.append(f"MP4 cannot carry {name} sound: it is encoded as AAC")

    def _muxable(self) -> Iterator[av.Packet[Stream]]:
        if not self._tracks:
            return
        streams = [stream for stream in self._source.streams.audio if stream.index in self._tracks]
        broken = 0
        try:
            for packet in self._source.demux(streams):
                try:
                    yield from self._tracks[packet.stream.index].carried(packet)
                except av.error.InvalidDataError:
                    broken += 1
        except av.error.FFmpegError as error:
            self.notes.append(f"the sound ends early: {error.strerror}")
        if broken:
            self.notes.append(f"{broken} broken packets of sound are left out")


class _Copy:
    def __init__(self, target: AudioStream, start: Fraction) -> None:
        self._target = target
        self._start = start

    def carried(self, packet: av.Packet[Stream]) -> Iterator[av.Packet[Stream]]:
        """The same packet, moved to the output; nothing for the empty packet at the end."""
        if packet.dts is None or packet.size == 0:
            return
        offset = round(self._start / packet.time_base)
        packet.dts -= offset
        if packet.pts is not None:
            packet.pts -= offset
        packet.stream = self._target
        yield packet


class _Aac:
    def __init__(self, source: AudioStream, output: OutputContainer, start: Fraction) -> None:
        rate = source.rate if source.rate in _AAC_RATES else 48000
        layout = _LAYOUTS.get(source.channels, "stereo")
        self._target = output.add_stream("aac", rate=rate, layout=layout)
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
        self._start = start

    def carried(self, packet: av.Packet[Stream]) -> Iterator[av.Packet[Stream]]:
        """What the encoder gives for the packet; for the empty packet at the end all that it still holds."""
        for frame in packet.decode():
            if isinstance(frame, AudioFrame):
                if frame.pts is not None and frame.time_base is not None:
                    frame.pts -= round(self._start / frame.time_base)
                yield from self._encoded(frame)
        if packet.size == 0:
            yield from self._encoded(None)
            yield from self._target.encode(None)

    def _encoded(self, frame: AudioFrame | None) -> Iterator[av.Packet[Stream]]:
        for even in self._resampler.resample(frame):
            yield from self._target.encode(even)


def _begin(packet: av.Packet[Stream]) -> Fraction:
    return Fraction(packet.dts or 0) * packet.time_base
