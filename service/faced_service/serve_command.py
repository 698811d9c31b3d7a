"""Run the face daemon.

Settings come from defaults, a TOML file, FACED_* variables and flags; the later ones win.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from faced_service.access import open_access
from faced_service.certificates import open_certificates
from faced_service.exit_codes import DONE
from faced_service.logs import configure_logs
from faced_service.metrics import Metrics
from faced_service.networks import Networks, check_allowed
from faced_service.on_ray.exclusions import check_for_ray
from faced_service.serving import announced_page, exit_code_of, say, serve
from faced_service.setting_kinds import Kind, Member, Switch, Text
from faced_service.setting_sources import load_settings, setting_entries, shown
from faced_service.settings import Settings, SettingsError
from faced_service.workers import supervise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, the check, and one flag for each setting."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with settings")
    parser.add_argument("--check-config", action="store_true", help="say whether the settings can be, and stop")
    defaults = Settings()
    for entry in setting_entries():
        default = f"(default: {shown(defaults, entry)}; {entry.variable})"
        help_ = f"{entry.help} {_allowed(entry.kind)}{default}".replace("%", "%%")
        if isinstance(entry.kind, Switch):
            parser.add_argument(entry.flag, action="store_true", default=None, help=help_)
        else:
            parser.add_argument(entry.flag, metavar="VALUE", help=help_)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    given = vars(arguments)
    flags = {entry.name: given[entry.name] for entry in setting_entries() if given[entry.name] is not None}
    return exit_code_of(lambda: _serve(arguments, flags))


def _serve(arguments: argparse.Namespace, flags: Mapping[str, str | bool]) -> int:
    settings = load_settings(arguments.config, os.environ, flags)
    check_allowed(settings)
    serve_on_ray = _ray_engine(settings)
    open_access(settings)
    open_certificates(settings)
    if arguments.check_config:
        for entry in setting_entries():
            sys.stdout.write(f"{entry.name} = {shown(settings, entry)}\n")
        say("the settings are valid")
        return DONE
    configure_logs(settings.log_format, settings.log_level)
    if serve_on_ray is not None:
        return serve_on_ray(settings)
    if settings.workers > 1:
        return supervise(settings)
    metrics = Metrics()
    with announced_page(metrics, settings):
        return serve(settings, metrics, _announce)


def _ray_engine(settings: Settings) -> Callable[[Settings], int] | None:
    """What serves on Ray, if that is the engine.

    Raises:
        SettingsError: Ray is not installed, or has no way for something that is set.
    """
    if settings.engine != "ray":
        return None
    check_for_ray(settings, local=True)
    try:
        from faced_service.on_ray.local import serve_on_ray
    except ImportError as error:
        raise SettingsError(f"engine is ray, and {error.name} is not installed: pip install '.[cpu,ray]'") from error
    return serve_on_ray


def _allowed(kind: Kind) -> str:
    match kind:
        case Member(of):
            return f"Must be one of {', '.join(member.value for member in of)}. "
        case Text(_, expected):
            return f"Must be {expected}. "
        case _:
            return ""


def _announce(address: str, networks: Networks) -> None:
    engine = networks.models.detector.engine
    for notice in networks.models.notices:
        say(notice)
    say(f"serving on {address}, {engine.device}, {engine.backend}, {engine.precision.value}")
