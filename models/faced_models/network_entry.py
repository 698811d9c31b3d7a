"""What is known of one network beside its weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from faced_models.calibration import Calibration
from faced_models.crop import CropRecipe
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
    oversample: Oversample = Oversample.NONE
    calibration: Calibration | None = None

    @property
    def calibrated(self) -> bool:
        """Whether the probabilities were fitted to held-out data."""
        return self.calibration is not None

    @property
    def raw(self) -> NetworkEntry:
        """The network without its calibration."""
        return replace(self, calibration=None)

    @property
    def input_size(self) -> int:
        """Pixels on a side of the network's input, 0 where there is none."""
        return 0 if self.input is None else self.input.size

    @property
    def model_id(self) -> str:
        """name@version+sha8; the digits change with the weights and with everything else that changes numbers."""
        # One line for each part, so that a value cannot move from one part to the next unnoticed.
        parts = (self.input, self.crop, self.axis, self.options, self.calibration)
        lines = ["" if part is None else json.dumps(asdict(part), sort_keys=True) for part in parts]
        lines.append(self.oversample.value)
        digest = hashlib.sha256("\n".join((self.sha256, *lines)).encode()).hexdigest()
        return f"{self.name}@{self.version}+{digest[:8]}"
