"""A network's table in a manifest, read and checked field by field."""

from __future__ import annotations

from pathlib import PurePosixPath

from faced_models.calibration import read_calibration
from faced_models.crop import CropRecipe
from faced_models.network_entry import DetectorOptions, NetworkEntry, NetworkInput, Source
from faced_models.oversample import Oversample, crop_size
from faced_models.toml_table import TomlTable
from faced_proto.types import Axis, Categories, IntegerBins, ModelRole


def read_entry(name: str, table: TomlTable) -> NetworkEntry:
    """One entry of a manifest.

    Raises:
        WeightsError: names the entry and the field that is wrong.
    """
    role = ModelRole(table.choice("role", *(role.value for role in ModelRole)))
    attribute = role is ModelRole.ATTRIBUTE
    axis = _axis(table.table("axis")) if attribute else None
    entry = NetworkEntry(
        name=name,
        version=table.text("version"),
        role=role,
        attribute=table.text("attribute") if attribute else "",
        file=_file_name(table, "file"),
        sha256=table.digest("sha256"),
        bytes=table.whole("bytes", least=1),
        licence=table.text("licence"),
        source=_source(table.table("source")),
        reference=_file_name(table, "reference") if table.has("reference") else None,
        input=None if role is ModelRole.LANDMARKS else _input(table.table("input")),
        crop=_crop(table.table("crop")) if attribute else None,
        axis=axis,
        options=_options(table.table("detector")) if role is ModelRole.DETECTOR else None,
        oversample=_oversample(table) if attribute else Oversample.NONE,
        calibration=read_calibration(table.table("calibration"), axis)
        if axis is not None and table.has("calibration")
        else None,
    )
    if attribute:
        # The classifier takes the output as probabilities; a graph without its softmax would need one here.
        table.choice("activation", "none")
    table.end()
    if entry.crop is not None and entry.input is not None:
        size = crop_size(entry.oversample, entry.input.size)
        if entry.crop.size != size:
            what = "the input size" if size == entry.input.size else f"for {entry.oversample.value}"
            raise table.wrong("crop size", entry.crop.size, f"{what} {size}")
    return entry


def _oversample(table: TomlTable) -> Oversample:
    if not table.has("oversample"):
        return Oversample.NONE
    return Oversample(table.choice("oversample", *(kind.value for kind in Oversample)))


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


def _input(table: TomlTable) -> NetworkInput:
    grey = table.choice("colour", "rgb", "grey") == "grey"
    value = NetworkInput(
        size=table.whole("size", least=1),
        grey=grey,
        mean=table.numbers("mean", count=1 if grey else 3),
        scale=table.number("scale", least=1e-9),
    )
    table.end()
    return value


def _crop(table: TomlTable) -> CropRecipe:
    recipe = CropRecipe(
        kind=table.choice("kind", "chip"),
        size=table.whole("size", least=1),
        padding=table.number("padding", least=0.0),
    )
    table.end()
    return recipe


def _axis(table: TomlTable) -> Axis:
    axis: Axis
    if table.has("labels"):
        axis = Categories(table.texts("labels"))
    else:
        axis = IntegerBins(
            first=table.whole("first", least=-1_000_000),
            width=table.whole("width", least=1),
            last_open=table.flag("last_open"),
            count=table.whole("count", least=2),
        )
    table.end()
    return axis


def _options(table: TomlTable) -> DetectorOptions:
    options = DetectorOptions(
        iou=table.number("iou", least=0.0),
        percent_covered=table.number("percent_covered", least=0.0),
        pyramid_padding=table.whole("pyramid_padding", least=0),
        pyramid_outer_padding=table.whole("pyramid_outer_padding", least=0),
    )
    table.end()
    return options
