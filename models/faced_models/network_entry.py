"""What is known of one network beside its weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from enum import Enum

from faced_models.calibration import Calibration
from faced_models.crop import CropRecipe
from faced_models.errors import WeightsError
from faced_models.model_card import ModelCard
from faced_models.oversample import Oversample
from faced_proto.types import Axis, ModelRole


@dataclass(frozen=True, slots=True)
class Source:
    """The file that the weights are made from: where it lies in which package, its format and SHA-256."""

    package: str
    version: str
    path: str
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights that `faced train` made: its recipe's name and SHA-256, what it learnt from, and the share of that which
    it held out.
    """

    recipe: str
    recipe_sha256: str
    data: str
    held_out: float = 0.0


class Colour(Enum):
    """Which channels a network sees, in its order."""

    RGB = "rgb"
    BGR = "bgr"
    GREY = "grey"

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self is Colour.GREY else 3


class Layout(Enum):
    """How a network's input lies in memory: channels as planes (PyTorch, ONNX) or beside each other (Keras)."""

    NCHW = "nchw"
    NHWC = "nhwc"

    def shape(self, size: int, channels: int) -> tuple[int, int, int]:
        """Of one face."""
        return (channels, size, size) if self is Layout.NCHW else (size, size, channels)


class Activation(Enum):
    """What makes probabilities of a network's output; NONE where the graph does it itself."""

    NONE = "none"
    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """What the network was trained on: (value - mean) * scale of values 0..255.

    `size` is the side in pixels (the detector's: of its window); `mean` and `scale` have a value for each channel.
    """

    size: int
    colour: Colour
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    layout: Layout = Layout.NCHW


@dataclass(frozen=True, slots=True)
class DetectorWindow:
    """Width and height in pixels of what one output channel of a detector finds at scale 1, and what it is called."""

    width: int
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What the detector's .dat says beside the weights: suppression, and the tiled pyramid's paddings in pixels.

    `windows` are those of the network's outputs, in their order; none: one, a square of the input's size.
    """

    iou: float
    percent_covered: float
    pyramid_padding: int
    pyramid_outer_padding: int
    windows: tuple[DetectorWindow, ...] = ()

    def windows_of(self, size: int) -> tuple[DetectorWindow, ...]:
        """The windows, where `size` is the input's."""
        return self.windows or (DetectorWindow(size, size, ""),)


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """One network. `input`, `crop`, `axis` and `options` are None where its role has none.

    `manifest` is the file that describes it, for messages. `attribute` is empty except for attribute networks. `file`
    is a name in the package's folder of weights, or an absolute path; with `url`, the name under which it is kept.
    `source` and `reference` are the package's own: `reference` names a copy of the source file, byte for byte, beside
    the weights. `output` names the output that counts, None: the first.
    `trained_on` names parts of data sets that it must be neither judged nor calibrated by.
    `trained` tells how weights were made that are nobody else's. An `alternative` is there to be chosen by name, in
    place of the network that has its attribute. A detector `beside` another finds other things than faces, by label.
    `card` is for people, and None where an operator wrote none.
    """

    manifest: str
    name: str
    version: str
    role: ModelRole
    attribute: str
    file: str
    url: str | None
    sha256: str
    licence: str
    source: Source | None
    bytes: int | None
    reference: str | None
    input: NetworkInput | None
    crop: CropRecipe | None
    axis: Axis | None
    output: str | None
    activation: Activation
    options: DetectorOptions | None
    oversample: Oversample = Oversample.NONE
    calibration: Calibration | None = None
    trained_on: tuple[str, ...] = ()
    trained: Trained | None = None
    alternative: bool = False
    beside: bool = False
    card: ModelCard | None = None

    @property
    def calibrated(self) -> bool:
        """Whether the probabilities were fitted to held-out data."""
        return self.calibration is not None

    @property
    def raw(self) -> NetworkEntry:
        """The network without its calibration."""
        return replace(self, calibration=None)

    @property
    def original(self) -> Source:
        """Where the package's own weights are from.

        Raises:
            WeightsError: these are an operator's, or were trained here.
        """
        if self.source is None:
            raise self.wrong("nothing is told of the file that it was made from")
        return self.source

    @property
    def input_size(self) -> int:
        """Pixels on a side of the network's input, 0 where there is none."""
        return 0 if self.input is None else self.input.size

    @property
    def windows(self) -> tuple[DetectorWindow, ...]:
        """What a detector's outputs find, in their order."""
        return () if self.options is None else self.options.windows_of(self.input_size)

    @property
    def model_id(self) -> str:
        """name@version+sha8; the digits change with the weights and with everything else that changes numbers."""
        # One line for each part, so that a value cannot move from one part to the next unnoticed.
        parts = (self.input, self.crop, self.axis, self.options, self.calibration)
        told = [None if part is None else asdict(part) for part in parts]
        if self.options is not None and not self.options.windows:
            # An id says the same as before there were several windows.
            told[3] = {name: value for name, value in asdict(self.options).items() if name != "windows"}
        lines = ["" if part is None else json.dumps(part, sort_keys=True, default=_plain) for part in told]
        lines += [self.oversample.value, self.output or "", self.activation.value]
        digest = hashlib.sha256("\n".join((self.sha256, *lines)).encode()).hexdigest()
        return f"{self.name}@{self.version}+{digest[:8]}"

    def wrong(self, what: str) -> WeightsError:
        """The error that says what is wrong with this network, and where it is described."""
        return WeightsError(f"{self.manifest}: network {self.name!r}: {what}")


def _plain(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    raise TypeError(f"{value!r} has no plain form")
