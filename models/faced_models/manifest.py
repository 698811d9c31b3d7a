"""What is known of each network beside its weights: manifest.toml, read and checked."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from faced_models.crop import CropRecipe
from faced_models.errors import WeightsError
from faced_models.toml_table import TomlTable
from faced_proto.types import Axis, Categories, IntegerBins, ModelRole

MANIFEST = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True, slots=True)
class Source:
    """The file that the weights are made from: where it lies in which package, its format and SHA-256."""

    package: str
    version: str
    path: str
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """What the network was trained on: (value - mean) * scale of values 0..255.

    `size` is the side in pixels (the detector's: of its window); `mean` has one value for grey, three for RGB.
    """

    size: int
    grey: bool
    mean: tuple[float, ...]
    scale: float


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What the detector's .dat says beside the weights: suppression, and the tiled pyramid's paddings in pixels."""

    iou: float
    percent_covered: float
    pyramid_padding: int
    pyramid_outer_padding: int


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """One network. `input`, `crop`, `axis` and `options` are None where its role has none; so is `reference`.

    `attribute` is empty except for attribute networks. `reference` names a copy of the source file, byte for byte,
    in the same folder as the weights.
    """

    name: str
    version: str
    role: ModelRole
    attribute: str
    file: str
    sha256: str
    bytes: int
    licence: str
    source: Source
    reference: str | None
    input: NetworkInput | None
    crop: CropRecipe | None
    axis: Axis | None
    options: DetectorOptions | None

    @property
    def calibrated(self) -> bool:
        """Whether the probabilities were fitted to held-out data; no entry has a calibration yet."""
        return False

    @property
    def input_size(self) -> int:
        """Pixels on a side of the network's input, 0 where there is none."""
        return 0 if self.input is None else self.input.size

    @property
    def model_id(self) -> str:
        """name@version+sha8; the digits change with the weights and with everything else that changes numbers."""
        # One line for each part, so that a value cannot move from one part to the next unnoticed.
        preprocessing = (self.input, self.crop, self.axis, self.options)
        lines = ["" if part is None else json.dumps(asdict(part), sort_keys=True) for part in preprocessing]
        digest = hashlib.sha256("\n".join((self.sha256, *lines)).encode()).hexdigest()
        return f"{self.name}@{self.version}+{digest[:8]}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """All networks, in the file's order."""

    networks: tuple[NetworkEntry, ...]

    @property
    def detector(self) -> NetworkEntry:
        """The network that finds faces."""
        return self._only(ModelRole.DETECTOR)

    @property
    def landmarks(self) -> NetworkEntry:
        """The cascade that finds the five points."""
        return self._only(ModelRole.LANDMARKS)

    @property
    def attributes(self) -> Mapping[str, NetworkEntry]:
        """Attribute -> its network."""
        return {entry.attribute: entry for entry in self.networks if entry.role is ModelRole.ATTRIBUTE}

    def network(self, name: str) -> NetworkEntry:
        """The network of that name, or that of the attribute of that name.

        Raises:
            KeyError: there is none; the message lists those that there are.
        """
        for entry in self.networks:
            if name in (entry.name, entry.attribute):
                return entry
        raise KeyError(f"no network {name!r}; there are {', '.join(entry.name for entry in self.networks)}")

    def _only(self, role: ModelRole) -> NetworkEntry:
        return next(entry for entry in self.networks if entry.role is role)


def load_manifest(path: Path = MANIFEST) -> Manifest:
    """Read and check a manifest.

    Raises:
        WeightsError: it is missing, no TOML, or an entry is wrong; names the entry and the field.
    """
    try:
        root = TomlTable(tomllib.loads(path.read_text("utf-8")), path.name)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"{path.name} cannot be read: {error}") from error
    networks = tuple(_entry(name, table) for name, table in root.tables("network").items())
    root.end()
    for what, values in (
        ("file", [entry.file for entry in networks]),
        ("attribute", [entry.attribute for entry in networks if entry.attribute]),
        ("role", [entry.role.value for entry in networks if entry.role is not ModelRole.ATTRIBUTE]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise WeightsError(f"{path.name}: two networks have the {what} {twice[0]!r}")
    for role in (ModelRole.DETECTOR, ModelRole.LANDMARKS):
        if not any(entry.role is role for entry in networks):
            raise WeightsError(f"{path.name}: no network has the role {role.value!r}")
    return Manifest(networks)


def _entry(name: str, table: TomlTable) -> NetworkEntry:
    role = ModelRole(table.choice("role", *(role.value for role in ModelRole)))
    attribute = role is ModelRole.ATTRIBUTE
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
        axis=_axis(table.table("axis")) if attribute else None,
        options=_options(table.table("detector")) if role is ModelRole.DETECTOR else None,
    )
    if attribute:
        # The classifier takes the output as probabilities; a graph without its softmax would need one here.
        table.choice("activation", "none")
    table.end()
    if entry.crop is not None and entry.input is not None and entry.crop.size != entry.input.size:
        raise table.wrong("crop size", entry.crop.size, f"the input size {entry.input.size}")
    return entry


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
