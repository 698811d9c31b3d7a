"""All networks: manifest.toml, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
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
    def beside(self) -> tuple[NetworkEntry, ...]:
        """Detectors that find other things in the same pictures."""
        return tuple(entry for entry in self.networks if entry.beside)

    @property
    def landmarks(self) -> NetworkEntry:
        """The cascade that finds the five points."""
        return self._only(ModelRole.LANDMARKS)

    @property
    def attributes(self) -> Mapping[str, NetworkEntry]:
        """Attribute -> its network."""
        return {
            entry.attribute: entry
            for entry in self.networks
            if entry.role is ModelRole.ATTRIBUTE and not entry.alternative
        }

    def network(self, name: str) -> NetworkEntry:
        """The network of that name, or that of the attribute of that name.

        Raises:
            KeyError: there is none; the message lists those that there are.
        """
        for entry in self.networks:
            if name == entry.name or (name == entry.attribute and not entry.alternative):
                return entry
        raise KeyError(f"no network {name!r}; there are {', '.join(entry.name for entry in self.networks)}")

    def choosing(self, names: Collection[str]) -> Manifest:
        """With these networks, by name, in the places of those that have their attributes.

        Raises:
            KeyError: there is none of that name for an attribute, or two are for the same.
        """
        chosen = [self.network(name) for name in names]
        for entry in chosen:
            if entry.role is not ModelRole.ATTRIBUTE:
                raise KeyError(f"network {entry.name!r} is for {entry.role.value}, not for an attribute")
            if sum(other.attribute == entry.attribute for other in chosen) > 1:
                raise KeyError(f"two of the networks that are chosen are for {entry.attribute}")
        taken = {entry.attribute: entry.name for entry in chosen}
        return Manifest(
            tuple(
                replace(entry, alternative=taken[entry.attribute] != entry.name) if entry.attribute in taken else entry
                for entry in self.networks
            )
        )

    def _only(self, role: ModelRole) -> NetworkEntry:
        return next(entry for entry in self.networks if entry.role is role and not entry.beside)


def load_manifest(path: Path = MANIFEST, models_file: Path | None = None) -> Manifest:
    """Read and check the package's manifest, and an operator's file of networks beside or in place of its own.

    An entry of `models_file` with weights of its own (`file` or `url`) takes the place of the network with its name,
    attribute or (detector, landmarks) role, else it is added; so is a detector that is `beside` that of faces. One
    without changes the fields that it names of the package's network of that name; a calibration that was fitted to
    other fields is dropped. An alternative of the package that is named so takes the place of the network that has its
    attribute.

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
        _check_beside(networks)
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
            # An alternative that is named is chosen.
            entries.append(replace(read_entry(name, table.over(base), str(models_file), None), alternative=False))
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
    if entry.name == other.name:
        return True
    alike = entry.role is other.role and entry.attribute == other.attribute
    return alike and not (other.alternative or entry.beside or other.beside)


def _check_beside(networks: Sequence[NetworkEntry]) -> None:
    """A label alone tells which detector found a thing."""
    faces = next((entry for entry in networks if entry.role is ModelRole.DETECTOR and not entry.beside), None)
    beside = [entry for entry in networks if entry.beside]
    if faces is None:
        raise beside[0].wrong("it has the name of the detector that it is to be beside")
    owners = {window.label: faces.name for window in faces.windows}
    for entry in beside:
        for label in sorted({window.label for window in entry.windows}):
            if not label:
                raise entry.wrong('a detector beside another needs windows with labels: windows = ["40x40 cat"]')
            if label in owners:
                raise entry.wrong(f"the label {label!r} is that of {owners[label]} already")
            owners[label] = entry.name


def _check_unique(networks: Sequence[NetworkEntry], where: str) -> None:
    for what, values in (
        ("file", [entry.file for entry in networks if entry.url is None]),
        ("attribute", [entry.attribute for entry in networks if entry.attribute and not entry.alternative]),
        (
            "role",
            [entry.role.value for entry in networks if entry.role is not ModelRole.ATTRIBUTE and not entry.beside],
        ),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise WeightsError(f"{where}: two networks have the {what} {twice[0]!r}")
