"""A network's table in a manifest, read and checked field by field."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from faced_models.calibration import read_calibration
from faced_models.crop import CropKind, CropRecipe
from faced_models.model_card import read_card
from faced_models.network_entry import (
    Activation,
    Colour,
    DetectorOptions,
    DetectorWindow,
    Layout,
    NetworkEntry,
    NetworkInput,
    Source,
    Trained,
)
from faced_models.oversample import Oversample, crop_size
from faced_models.toml_table import TomlTable
from faced_proto.types import Axis, Categories, IntegerBins, ModelRole

_NETWORK_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_ATTRIBUTE_NAME = r"[a-z][a-z0-9_]{0,39}"
_MOST_SIDE, _MOST_BINS, _FARTHEST = 2048, 10_000, 100_000
_TAKEN = ("all", "none", "age_group")
"""What attributes may not be called: words of the command line, and what is derived from the age."""


def read_entry(name: str, table: TomlTable, manifest: str, folder: Path | None) -> NetworkEntry:
    """One entry of the file `manifest`.

    `folder` None: the package's own, which says where its weights are from; else an operator's, with files relative
    to `folder`.

    Raises:
        WeightsError: names the entry and the field that is wrong.
    """
    if re.fullmatch(_NETWORK_NAME, name) is None:
        raise table.wrong("name", name, "up to 64 letters, digits, dots, hyphens and underscores")
    own = folder is None
    role = ModelRole(
        table.choice("role", *(role.value for role in ModelRole)) if own or table.has("role") else "attribute"
    )
    attribute = role is ModelRole.ATTRIBUTE
    axis = _axis(table.table("axis")) if attribute else None
    url = None if own or not table.has("url") else _url(table)
    entry = NetworkEntry(
        manifest=manifest,
        name=name,
        version=table.text("version") if own or table.has("version") else "1",
        role=role,
        attribute=_attribute(table) if attribute else "",
        file=_file(table, url, folder),
        url=url,
        sha256=table.digest("sha256"),
        licence=table.text("licence") if own or table.has("licence") else "unstated",
        source=_source(table.table("source")) if own and not table.has("trained") else None,
        bytes=table.whole("bytes", least=1) if own else None,
        reference=_file_name(table, "reference") if own and table.has("reference") else None,
        input=None if role is ModelRole.LANDMARKS else _input(table.table("input")),
        crop=_crop(table.table("crop")) if attribute else None,
        axis=axis,
        output=table.text("output") if attribute and table.has("output") else None,
        activation=Activation(table.choice("activation", *(kind.value for kind in Activation)))
        if attribute
        else Activation.NONE,
        options=_options(table.table("detector")) if role is ModelRole.DETECTOR else None,
        oversample=_oversample(table) if attribute else Oversample.NONE,
        calibration=read_calibration(table.table("calibration"), axis)
        if axis is not None and table.has("calibration")
        else None,
        trained_on=table.texts("trained_on", least=1) if attribute and table.has("trained_on") else (),
        trained=_trained(table.table("trained")) if table.has("trained") else None,
        alternative=table.flag("alternative") if own and attribute and table.has("alternative") else False,
        beside=table.flag("beside") if not own and role is ModelRole.DETECTOR and table.has("beside") else False,
        card=read_card(table.table("card")) if own or table.has("card") else None,
    )
    table.end()
    if entry.crop is not None and entry.input is not None:
        size = crop_size(entry.oversample, entry.input.size)
        if entry.crop.size != size:
            what = "the input size" if size == entry.input.size else f"for {entry.oversample.value}"
            raise table.wrong("crop size", entry.crop.size, f"{what} {size}")
    if entry.attribute == "age" and not (isinstance(entry.axis, IntegerBins) and entry.axis.width == 1):
        raise entry.wrong("the axis of an age network must have single years: first, width = 1, last_open and count")
    return entry


def _role(table: TomlTable) -> ModelRole:
    return ModelRole(table.choice("role", *(role.value for role in ModelRole)))


def _oversample(table: TomlTable) -> Oversample:
    if not table.has("oversample"):
        return Oversample.NONE
    return Oversample(table.choice("oversample", *(kind.value for kind in Oversample)))


def _attribute(table: TomlTable) -> str:
    name = table.text("attribute")
    if re.fullmatch(_ATTRIBUTE_NAME, name) is None or name in _TAKEN:
        expected = f"up to 40 of a-z, 0-9 and _, a letter first, and none of {', '.join(_TAKEN)}"
        raise table.wrong("attribute", name, expected)
    return name


def _url(table: TomlTable) -> str:
    url = table.text("url")
    expected = "http:// or https:// and the address of a file"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise table.wrong("url", url, expected) from error
    usual = url.isascii() and url.isprintable() and " " not in url
    if not usual or parts.scheme not in ("http", "https") or not parts.hostname or not PurePosixPath(parts.path).name:
        raise table.wrong("url", url, expected)
    return url


def _file(table: TomlTable, url: str | None, folder: Path | None) -> str:
    if url is not None:
        if table.has("file"):
            raise table.wrong("file", table.text("file"), "file or url, not both")
        return PurePosixPath(urlsplit(url).path).name
    if folder is None:
        return _file_name(table, "file")
    name = table.text("file")
    if not name.isprintable():
        raise table.wrong("file", name, "a path")
    try:
        return str((folder / Path(name).expanduser()).absolute())
    except RuntimeError as error:  # ~ of an unknown user
        raise table.wrong("file", name, "a path; there is no such home folder") from error


def _file_name(table: TomlTable, key: str) -> str:
    value = table.text(key)
    if PurePosixPath(value).name != value:
        raise table.wrong(key, value, "a file name without a folder")
    return value


def _source(table: TomlTable) -> Source:
    source = Source(
        package=table.text("package"),
        version=table.text("version"),
        path=table.text("path"),
        format=table.choice("format", "dlib-mmod", "dlib-cascade", "keras", "onnx"),
        sha256=table.digest("sha256"),
    )
    table.end()
    return source


def _trained(table: TomlTable) -> Trained:
    trained = Trained(
        table.text("recipe"),
        table.digest("recipe_sha256"),
        table.text("data"),
        table.number("held_out", least=0) if table.has("held_out") else 0.0,
    )
    table.end()
    return trained


def _input(table: TomlTable) -> NetworkInput:
    colour = Colour(table.choice("colour", *(colour.value for colour in Colour)))
    value = NetworkInput(
        size=table.whole("size", least=1, most=_MOST_SIDE),
        colour=colour,
        mean=table.numbers("mean", count=colour.channels),
        scale=_scale(table, colour.channels),
        layout=Layout(table.choice("layout", *(layout.value for layout in Layout)))
        if table.has("layout")
        else Layout.NCHW,
    )
    table.end()
    return value


def _scale(table: TomlTable, channels: int) -> tuple[float, ...]:
    if not table.holds_list("scale"):
        return (table.number("scale", least=1e-9),) * channels
    scale = table.numbers("scale", count=channels)
    if min(scale) < 1e-9:
        raise table.wrong("scale", list(scale), "numbers from 1e-09")
    return scale


def _crop(table: TomlTable) -> CropRecipe:
    recipe = CropRecipe(
        kind=CropKind(table.choice("kind", *(kind.value for kind in CropKind))),
        size=table.whole("size", least=1, most=_MOST_SIDE),
        padding=table.number("padding", least=0.0),
    )
    table.end()
    if recipe.kind is CropKind.FACE_ALIGNER and recipe.padding >= 0.5:
        raise table.wrong("padding", recipe.padding, "a place left of the middle, below 0.5")
    return recipe


def _axis(table: TomlTable) -> Axis:
    axis: Axis
    if table.has("labels"):
        axis = Categories(table.texts("labels"))
    else:
        axis = IntegerBins(
            first=table.whole("first", least=-_FARTHEST, most=_FARTHEST),
            width=table.whole("width", least=1, most=_FARTHEST),
            last_open=table.flag("last_open"),
            count=table.whole("count", least=2, most=_MOST_BINS),
        )
    table.end()
    return axis


def _options(table: TomlTable) -> DetectorOptions:
    options = DetectorOptions(
        iou=table.number("iou", least=0.0),
        percent_covered=table.number("percent_covered", least=0.0),
        pyramid_padding=table.whole("pyramid_padding", least=0),
        pyramid_outer_padding=table.whole("pyramid_outer_padding", least=0),
        windows=tuple(_window(table, text) for text in table.texts("windows", least=1)) if table.has("windows") else (),
    )
    table.end()
    return options


def _window(table: TomlTable, text: str) -> DetectorWindow:
    """As dlib prints them, width before height, and a label where there is one: "40x40 cat"."""
    size, _, label = text.partition(" ")
    found = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", size)
    if found is None or not all(1 <= int(side) <= _MOST_SIDE for side in found.groups()):
        raise table.wrong("windows", text, 'WIDTHxHEIGHT in pixels and, after a space, a label: "40x40 cat"')
    return DetectorWindow(int(found[1]), int(found[2]), label)
