"""What a video held: its tracks, how long each was seen with which expression, and how it went over time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from faced_cli.video_row import VideoRow
from faced_proto.types import Categories, Distribution, FaceAnalysis, FrameAnalysis, IntegerBins

_MOST_BINS = 600
_FIRST_BIN_S = 0.5
_TICK_S = 1e-9
"""Less of a bin is a rounding error where one row ends and the next begins, and is not drawn."""


@dataclass(slots=True)
class Timeline:
    """Seconds and mean probabilities by label in equal bins of time; bins are joined in pairs as the time grows."""

    bin_s: float = _FIRST_BIN_S
    bins: dict[int, Counter[str]] = field(default_factory=dict)

    def add(self, time_s: float, seconds: float, probabilities: dict[str, float]) -> None:
        """Counts from `time_s` on, each bin its part of the `seconds`; memory stays bounded."""
        end_s = time_s + seconds
        while end_s / self.bin_s > _MOST_BINS:
            self._join()
        for number in range(int(time_s / self.bin_s), int(end_s / self.bin_s) + 1):
            within = min(end_s, (number + 1) * self.bin_s) - max(time_s, number * self.bin_s)
            if within < _TICK_S:
                continue
            counted = self.bins.setdefault(number, Counter())
            counted[""] += within  # type: ignore[assignment]
            for label, p in probabilities.items():
                counted[label] += p * within  # type: ignore[assignment]

    def means(self) -> Iterator[tuple[float, float, dict[str, float]]]:
        """Begin and end in seconds, and the mean probabilities, of each bin in which there was something."""
        for number, counted in sorted(self.bins.items()):
            seconds = counted[""]
            means = {label: value / seconds for label, value in counted.items() if label and seconds > 0}
            yield number * self.bin_s, (number + 1) * self.bin_s, means

    def _join(self) -> None:
        joined: dict[int, Counter[str]] = {}
        for number, counted in self.bins.items():
            joined.setdefault(number // 2, Counter()).update(counted)
        self.bins, self.bin_s = joined, 2 * self.bin_s


@dataclass(slots=True)
class TrackSummary:
    """One face: when it was seen, and seconds by label; `years` and `ages` give the mean of its expected age."""

    number: int
    first_s: float
    last_s: float = 0.0
    seconds: float = 0.0
    emotions: Counter[str] = field(default_factory=Counter)
    genders: Counter[str] = field(default_factory=Counter)
    years: float = 0.0
    ages: float = 0.0
    timeline: Timeline = field(default_factory=Timeline)

    @property
    def age(self) -> float | None:
        """Years, the mean over time."""
        return self.years / self.ages if self.ages else None

    @property
    def gender(self) -> str | None:
        """What was told for most of the time."""
        return max(self.genders, key=self.genders.__getitem__) if self.genders else None

    def add(self, row: VideoRow, face: FaceAnalysis) -> None:
        """Counts a moment of the face."""
        seconds = row.duration_s
        self.last_s = max(self.last_s, row.time_s + seconds)
        self.seconds += seconds
        emotion = None
        for outcome in face.attributes:
            if not isinstance(outcome, Distribution):
                continue
            if outcome.attribute == "emotion" and isinstance(outcome.axis, Categories):
                emotion = outcome
                self.emotions[outcome.top[0]] += seconds  # type: ignore[assignment]
            elif outcome.attribute == "gender":
                self.genders[outcome.top[0]] += seconds  # type: ignore[assignment]
            elif outcome.attribute == "age" and isinstance(outcome.axis, IntegerBins):
                self.years += seconds * outcome.expectation()
                self.ages += seconds
        self.timeline.add(row.time_s, seconds, {} if emotion is None else emotion.as_dict())


@dataclass(slots=True)
class VideoSummary:
    """One video."""

    source: str
    frames: int = 0
    faces: int = 0
    failed: int = 0
    end_s: float = 0.0
    tracks: dict[int, TrackSummary] = field(default_factory=dict)

    def add(self, row: VideoRow) -> None:
        """Counts a row."""
        self.frames += 1
        self.end_s = max(self.end_s, row.time_s + row.duration_s)
        result = row.outcome.result
        if not isinstance(result, FrameAnalysis):
            self.failed += 1
            return
        self.faces += len(result.faces)
        for face in result.faces:
            if face.track_id is not None:
                track = self.tracks.setdefault(face.track_id, TrackSummary(face.track_id, row.time_s))
                track.add(row, face)

    def longest(self) -> list[TrackSummary]:
        """The tracks that were seen longest first."""
        return sorted(self.tracks.values(), key=lambda track: (-track.seconds, track.number))


def clock(seconds: float) -> str:
    """1:02.5, or 1:00:02.5 from an hour on."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    ahead = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{ahead}:{rest / 10:04.1f}"


def table(summary: VideoSummary, most: int = 8) -> list[str]:
    """The longest tracks as lines of text, 80 columns at most."""
    if not summary.tracks:
        return []
    tracks = summary.longest()
    lines = [f"  {'track':>5}  {'from':>9}  {'to':>9}  {'seen':>8}  emotions, gender, age"]
    for track in tracks[:most]:
        words = [f"{label} {seconds:.1f} s" for label, seconds in track.emotions.most_common(2)]
        words += [track.gender] if track.gender else []
        words += [f"{track.age:.0f} y"] if track.age is not None else []
        line = (
            f"  {'#' + str(track.number):>5}  {clock(track.first_s):>9}  {clock(track.last_s):>9}"
            f"  {track.seconds:>6.1f} s  {', '.join(words)}"
        )
        lines.append(line[:80].rstrip())
    if len(tracks) > most:
        lines.append(f"  and {len(tracks) - most} more")
    return lines
