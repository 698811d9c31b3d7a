"""Settings to loaded networks: those that the allowed attributes need, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faced_models.bundle import Models, load_models
from faced_models.manifest import load_manifest
from faced_service.attributes import attributes_of, networks_for
from faced_service.policy import AgeGuard
from faced_service.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Networks:
    """What is loaded, and the names of all attributes that exist, loaded or not."""

    models: Models
    known_attributes: tuple[str, ...]


def load_networks(settings: Settings) -> Networks:
    """Load and verify; nothing runs yet.

    Raises:
        SettingsError: `allowed_attributes` or `networks` names one that does not exist.
        WeightsError: weights are missing, altered or not what their entry says.
        DeviceError: the device, the backend or the precision cannot be had.
    """
    known = check_allowed(settings)
    allowed = known if settings.allowed_attributes is None else settings.allowed_attributes
    models = load_models(
        models_file=models_file_of(settings),
        chosen=settings.networks or (),
        attributes=networks_for(allowed, age_guard(settings)),
        backend=settings.backend,
        device=settings.device,
        precision=settings.precision,
        cpu_threads=settings.cpu_threads,
        gpu_memory_bytes=None if settings.gpu_memory_mb is None else settings.gpu_memory_mb << 20,
        raw=settings.raw_probabilities,
    )
    return Networks(models, known)


def age_guard(settings: Settings) -> AgeGuard:
    """What stands before gender."""
    return AgeGuard(None if settings.gender_without_age_guard else settings.gender_guard_threshold)


def check_allowed(settings: Settings) -> tuple[str, ...]:
    """All attributes that exist.

    Raises:
        SettingsError: `allowed_attributes` names another, or `networks` one that there is not.
        WeightsError: the list of networks cannot be read.
    """
    try:
        manifest = load_manifest(models_file=models_file_of(settings)).choosing(settings.networks or ())
    except KeyError as error:
        raise SettingsError(f"networks: {error.args[0]}") from error
    known = attributes_of(tuple(manifest.attributes))
    for name in settings.allowed_attributes or ():
        if name not in known:
            raise SettingsError(f"allowed_attributes names {name!r}; there are {', '.join(known)}")
    return known


def models_file_of(settings: Settings) -> Path | None:
    """The operator's file of networks, where there is one."""
    return None if settings.models_file is None else Path(settings.models_file)
