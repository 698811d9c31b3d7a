"""imglab's XML with labels and ignore flags, read with the lines where things stand, and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from faced_train.errors import DataError


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """Whole pixels, as the file has them; `line` is where it stands, 0: nowhere."""

    left: int
    top: int
    width: int
    height: int
    label: str = ""
    ignored: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class BoxedPicture:
    """A picture by the name that the file gives it, relative to its folder."""

    file: str
    boxes: tuple[LabelledBox, ...]
    line: int = 0


def read_boxes(path: Path) -> tuple[BoxedPicture, ...]:
    """All pictures of a file.

    Raises:
        DataError: it cannot be read or is not imglab's; names file and line.
    """
    reader = _Reader(path)
    try:
        reader.parser.Parse(path.read_bytes(), True)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except expat.ExpatError as error:
        raise DataError(f"{path}:{error.lineno}: is no XML: {expat.ErrorString(error.code)}") from error
    if not reader.pictures:
        raise DataError(f"{path}: is no imglab file with pictures: there is no dataset/images/image")
    return tuple(reader.pictures)


def write_boxes(path: Path, name: str, pictures: Sequence[BoxedPicture]) -> None:
    """The same file again, up to comments; for imglab and dlib too."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<dataset>", f"<name>{_text(name)}</name>", "<images>"]
    for picture in pictures:
        lines.append(f"  <image file={quoteattr(picture.file)}>")
        for box in picture.boxes:
            place = f"top='{box.top}' left='{box.left}' width='{box.width}' height='{box.height}'"
            ignore = " ignore='1'" if box.ignored else ""
            inner = f"><label>{_text(box.label)}</label></box>" if box.label else "/>"
            lines.append(f"    <box {place}{ignore}{inner}")
        lines.append("  </image>")
    path.write_text("\n".join([*lines, "</images>", "</dataset>", ""]), "utf-8")


class _Reader:
    """What expat tells of elements, as pictures."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[str] = []
        self._boxes: list[LabelledBox] = []
        self._image: tuple[str, int] | None = None
        self._place: tuple[dict[str, int], bool, int] | None = None
        self._label = ""
        self.pictures: list[BoxedPicture] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self._open.append(name)
        if self._open == ["dataset", "images", "image"]:
            file = attributes.get("file", "")
            if not file:
                raise DataError(f"{self._path}:{line}: this image has no file")
            self._image, self._boxes = (file, line), []
        elif self._open == ["dataset", "images", "image", "box"]:
            numbers = {key: self._whole(attributes, key, line) for key in ("left", "top", "width", "height")}
            self._place = (numbers, attributes.get("ignore", "0") == "1", line)
            self._label = ""

    def _whole(self, attributes: dict[str, str], key: str, line: int) -> int:
        text = attributes.get(key, "")
        try:
            return int(text)
        except ValueError:
            raise DataError(f"{self._path}:{line}: {key} is {text!r}, no whole number") from None

    def _data(self, text: str) -> None:
        if self._open[-2:] == ["box", "label"]:
            self._label += text

    def _end(self, name: str) -> None:
        self._open.pop()
        if name == "box" and self._place is not None:
            numbers, ignored, line = self._place
            self._boxes.append(LabelledBox(**numbers, label=self._label.strip(), ignored=ignored, line=line))
            self._place = None
        elif name == "image" and self._image is not None:
            self.pictures.append(BoxedPicture(self._image[0], tuple(self._boxes), self._image[1]))
            self._image = None


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
