"""Pictures with labelled faces, in the XML of dlib's imglab."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from faced_proto.types import Box


@dataclass(frozen=True, slots=True)
class Label:
    """A face, or what `name` calls it; one that is `ignored` need not be found and may be."""

    box: Box
    ignored: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture's file and its labels."""

    path: Path
    labels: tuple[Label, ...]


def read_imglab(path: Path) -> list[LabelledPicture]:
    """All pictures of an imglab file, which names them relative to its own folder.

    Raises:
        ValueError: the file cannot be read, is no XML or no imglab file; names the file and the element.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: is no XML: {error}") from error
    images = root.findall("images/image") if root.tag == "dataset" else []
    if not images:
        raise ValueError(f"{path}: is no imglab file with pictures: there is no dataset/images/image")
    return [_picture(element, path, number) for number, element in enumerate(images, start=1)]


def _picture(element: ElementTree.Element, path: Path, number: int) -> LabelledPicture:
    file = element.get("file")
    if not file:
        raise ValueError(f"{path}: image {number} has no file")
    where = f"{path}: image {number} ({file})"
    labels = tuple(_label(box, f"{where}, box {n}") for n, box in enumerate(element.findall("box"), start=1))
    return LabelledPicture(path.parent / file, labels)


def _label(element: ElementTree.Element, where: str) -> Label:
    left, top, width, height = (_number(element, name, where) for name in ("left", "top", "width", "height"))
    if min(width, height) < 1:
        raise ValueError(f"{where}: {width} x {height} is no size")
    name = element.findtext("label", "").strip()
    return Label(Box(left, top, left + width, top + height), element.get("ignore", "0") == "1", name)


def _number(element: ElementTree.Element, name: str, where: str) -> int:
    text = element.get(name, "")
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{where}: {name} is {text!r}, no whole number") from None
