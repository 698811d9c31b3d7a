"""Analyses as a table for spreadsheets and data frames: one record a face. Pure.

A frame in which none was found has one record without a face.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faced_cli.terminal import whole_text
from faced_cli.video_row import VideoRow
from faced_proto.json_values import shortest
from faced_proto.types import (
    AttributeFailure,
    Distribution,
    FaceAnalysis,
    FrameAnalysis,
    FrameFailure,
    IntegerBins,
    ModelInfo,
    ModelRole,
    ServerInfo,
    Withheld,
)

Value = None | int | float | str
Record = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, and the type of its values; any may be missing."""

    name: str
    kind: type[int] | type[float] | type[str]


_FRAME = (Column("source", str), Column("frame", int), Column("time_s", float))
_FACE = (Column("track_id", int), *(Column(name, float) for name in ("left", "top", "right", "bottom", "score")))
_LABEL = Column("label", str)
_FACES_ALONE = "mmod@1+4a147033"
"""The built-in detector, whose one window has no label; the digits change with its windows (see `NetworkEntry`)."""
_REASONS = (Column("withheld", str), Column("error", str))


def columns_for(info: ServerInfo, attributes: Sequence[str] | None) -> tuple[Column, ...]:
    """The columns for what a server is asked: these attributes, None: all that it has.

    A server does not say whether its detectors label what they find, so any but the built-in one may.
    """
    asked = [m for m in info.models if m.attribute and (attributes is None or m.attribute in attributes)]
    detectors = [m.model for m in info.models if m.role is ModelRole.DETECTOR]
    return columns(asked, labels=detectors != [_FACES_ALONE])


def columns(models: Sequence[ModelInfo], *, labels: bool = False) -> tuple[Column, ...]:
    """The columns for these attributes: the likeliest label and a probability each, or years with a 90 % interval.

    `labels`: also the label that each was found by.
    """
    result = [*_FRAME, *_FACE, *([_LABEL] if labels else [])]
    for model in models:
        if isinstance(model.axis, IntegerBins):
            result += [Column(f"{model.attribute}{end}", float if not end else int) for end in ("", "_low", "_high")]
        elif model.axis is not None:
            result.append(Column(model.attribute, str))
            result += [Column(f"{model.attribute}_{label}", float) for label in model.axis.labels]
    return (*result, *_REASONS)


def records(row: VideoRow) -> Iterator[Record]:
    """The records of one frame; what is not known is not in them."""
    frame: Record = {"source": whole_text(row.source), "frame": row.frame, "time_s": round(row.time_s, 6)}
    result = row.outcome.result
    if isinstance(result, FrameAnalysis):
        for face in result.faces:
            yield frame | _face(face)
        if not result.faces:
            yield frame
    elif isinstance(result, FrameFailure):
        yield frame | {"error": result.reason.value}
    else:
        yield frame | {"error": f"dropped: {result.reason.value}"}


def csv_head(of: Sequence[Column]) -> str:
    """The first line."""
    return _line([column.name for column in of])


def csv_lines(of: Sequence[Column], row: VideoRow) -> str:
    """The lines of one frame (RFC 4180, lines end with a line feed)."""
    return "".join(_line([record.get(column.name) for column in of]) for record in records(row))


def _face(face: FaceAnalysis) -> Record:
    box = face.detection.box
    record: Record = {
        "track_id": face.track_id,
        "left": shortest(box.left),
        "top": shortest(box.top),
        "right": shortest(box.right),
        "bottom": shortest(box.bottom),
        "score": shortest(face.detection.score),
        **({"label": face.detection.label} if face.detection.label else {}),
    }
    hidden = []
    for outcome in face.attributes:
        name = outcome.attribute
        if isinstance(outcome, Withheld | AttributeFailure):
            hidden.append(f"{name}: {outcome.reason.value}")
        elif isinstance(outcome.axis, IntegerBins):
            low, high = outcome.interval(0.9)
            record |= {name: shortest(outcome.expectation()), f"{name}_low": low, f"{name}_high": high}
        else:
            record |= {name: outcome.top[0], **_probabilities(outcome)}
    return record | ({"withheld": "; ".join(hidden)} if hidden else {})


def _probabilities(distribution: Distribution) -> Record:
    return {f"{distribution.attribute}_{label}": shortest(p) for label, p in distribution.as_dict().items()}


def _line(values: Sequence[Value]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(["" if value is None else value for value in values])
    return text.getvalue()
