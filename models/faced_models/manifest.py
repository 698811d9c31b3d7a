"""All networks: manifest.toml, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faced_models.entry_reader import read_entry
from faced_models.errors import WeightsError
from faced_models.network_entry import NetworkEntry
from faced_models.toml_table import TomlTable
from faced_proto.types import ModelRole

MANIFEST = Path(__file__).with_name("manifest.toml")

_BESIDE_THE_NUMBERS = frozenset({"calibration", "card", "licence", "trained_on", "version"})
"""Fields that can be changed without a calibration becoming wrong."""


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


def load_manifest(path: Path = MANIFEST, models_file: Path | None = None) -> Manifest:
    """Read and check the package's manifest, and an operator's file of networks beside or in place of its own.

    An entry of `models_file` with weights of its own (`file` or `url`) takes the place of the network with its name,
    attribute or (detector, landmarks) role, else it is added. One without changes the fields that it names of the
    package's network of that name; a calibration that was fitted to other fields is dropped.

    Raises:
        WeightsError: a file is missing, no TOML, or an entry is wrong; names the file, the entry and the field.
    """
    tables = _tables(path, path.name)
    networks = [read_entry(name, table, path.name, None) for name, table in tables.items()]
    _check_unique(networks, path.name)
    for role in (ModelRole.DETECTOR, ModelRole.LANDMARKS):
        if not any(entry.role is role for entry in networks):
            raise WeightsError(f"{path.name}: no network has the role {role.value!r}")
    if models_file is not None:
        added = _added(models_file, _tables(path, path.name))
        _check_unique(added, str(models_file))
        for entry in added:
            _put(networks, entry)
    return Manifest(tuple(networks))


def _tables(path: Path, where: str) -> dict[str, TomlTable]:
    try:
        root = TomlTable(tomllib.loads(path.read_text("utf-8")), where)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is no TOML: {error}"
        raise WeightsError(f"{where} cannot be read: {reason}") from error
    tables = root.tables("network")
    root.end()
    return tables


def _added(models_file: Path, package: Mapping[str, TomlTable]) -> list[NetworkEntry]:
    entries = []
    for name, table in _tables(models_file, str(models_file)).items():
        if table.has("file") or table.has("url"):
            entries.append(read_entry(name, table, str(models_file), models_file.parent))
        elif name in package:
            # Numbers that were fitted to one preprocessing are wrong for another.
            fitted = table.keys <= _BESIDE_THE_NUMBERS
            base = package[name] if fitted else package[name].without("calibration")
            entries.append(read_entry(name, table.over(base), str(models_file), None))
        else:
            known = ", ".join(package)
            raise WeightsError(
                f"{models_file}: network {name!r}: file or url is missing; only the package's own networks, {known}, "
                "can be changed without"
            )
    return entries


def _put(networks: list[NetworkEntry], entry: NetworkEntry) -> None:
    """In place of the one that it replaces, else at the end."""
    replaced = [i for i, other in enumerate(networks) if _same_place(entry, other)]
    for i in reversed(replaced[1:]):
        del networks[i]
    if replaced:
        networks[replaced[0]] = entry
    else:
        networks.append(entry)


def _same_place(entry: NetworkEntry, other: NetworkEntry) -> bool:
    return entry.name == other.name or (entry.role is other.role and entry.attribute == other.attribute)


def _check_unique(networks: Sequence[NetworkEntry], where: str) -> None:
    for what, values in (
        ("file", [entry.file for entry in networks if entry.url is None]),
        ("attribute", [entry.attribute for entry in networks if entry.attribute]),
        ("role", [entry.role.value for entry in networks if entry.role is not ModelRole.ATTRIBUTE]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise WeightsError(f"{where}: two networks have the {what} {twice[0]!r}")
