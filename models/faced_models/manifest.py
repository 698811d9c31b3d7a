"""All networks: manifest.toml, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faced_models.entry_reader import read_entry
from faced_models.errors import WeightsError
from faced_models.network_entry import NetworkEntry
from faced_models.toml_table import TomlTable
from faced_proto.types import ModelRole

MANIFEST = Path(__file__).with_name("manifest.toml")


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
    networks = tuple(read_entry(name, table) for name, table in root.tables("network").items())
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
