"""Settings that Ray has no way for; docs/ray.md has the table of what cannot be had."""

from __future__ import annotations

import os

from faced_service.settings import Settings, SettingsError

_ALL_ADDRESSES = ("0.0.0.0", "[::]")

NOT_ON_RAY = {
    "host": "Ray's proxies listen on all addresses, or, of faced serve --engine ray, on the loopback",
    "tls_cert": "TLS ends in front of Ray, see docs/ray.md",
    "tls_client_ca": "TLS ends in front of Ray, see docs/ray.md",
    "workers": "give ray_max_replicas",
    "metrics_port": "Ray exports metrics of its own, see docs/ray.md",
    "web_port": "the web gateway is the other engine's",
    "reflection": "Ray's reflection would ask for no token",
    "drain_wait_s": "Ray's proxies know which replicas stop",
}
"""What to do instead, by the setting that must be left alone."""


def keeps_to_loopback(settings: Settings) -> bool:
    """Whether a Ray of this machine alone serves callers of this machine alone; its HAProxy knows no host."""
    return settings.loopback and os.environ.get("RAY_SERVE_ENABLE_HA_PROXY") != "1"


def check_for_ray(settings: Settings, *, local: bool = False) -> None:
    """Raises SettingsError where something is set that cannot be had.

    `local`: Ray runs for this server alone, and can be kept to the loopback.
    """
    kept_here = local and keeps_to_loopback(settings)
    if not settings.authenticates and not settings.insecure and not kept_here:
        raise SettingsError(
            "engine is ray, whose proxies listen on all addresses of their machines: "
            "give token_file, or insecure = true (--insecure)"
        )
    for name, instead in NOT_ON_RAY.items():
        if name == "host" and local and (settings.loopback or settings.host in _ALL_ADDRESSES):
            continue
        if getattr(settings, name) != getattr(Settings(), name):
            raise SettingsError(f"{name} cannot be had with engine = ray: {instead}")
