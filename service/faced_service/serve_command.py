"""Run the face daemon.

Settings come from defaults, a TOML file, FACED_* variables and flags; the later ones win.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from faced_models.errors import DeviceError, WeightsError
from faced_service.exit_codes import ADDRESS_IN_USE, DONE, MODELS_MISSING, USAGE
from faced_service.logs import configure_logs
from faced_service.networks import Networks, check_allowed, load_networks
from faced_service.server import AddressError, running_server
from faced_service.setting_kinds import Switch
from faced_service.settings import Settings, SettingsError, load_settings, setting_entries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, the check, and one flag for each setting."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with settings")
    parser.add_argument("--check-config", action="store_true", help="say whether the settings can be, and stop")
    for entry in setting_entries():
        sentence = entry.help.replace("%", "%%")
        if isinstance(entry.kind, Switch):
            parser.add_argument(entry.flag, action="store_true", default=None, help=sentence)
        else:
            parser.add_argument(entry.flag, metavar="VALUE", help=sentence)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    given = vars(arguments)
    flags = {entry.name: given[entry.name] for entry in setting_entries() if given[entry.name] is not None}
    try:
        settings = load_settings(arguments.config, os.environ, flags)
        check_allowed(settings)
        if arguments.check_config:
            _say("the settings are valid")
            return DONE
        configure_logs(settings.log_format, settings.log_level)
        return _serve(load_networks(settings), settings)
    except (SettingsError, DeviceError) as error:
        return _fail(str(error), USAGE)
    except WeightsError as error:
        return _fail(str(error), MODELS_MISSING)
    except AddressError as error:
        return _fail(str(error), ADDRESS_IN_USE)


def _serve(networks: Networks, settings: Settings) -> int:
    asyncio.run(_serve_until_signal(networks, settings))
    return DONE


async def _serve_until_signal(networks: Networks, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_server(networks, settings, _target(settings)) as address:
        engine = networks.models.detector.engine
        for notice in networks.models.notices:
            _say(notice)
        _say(f"serving on {address}, {engine.device}, {engine.backend}, {engine.precision.value}")
        await stop.wait()
        _say("draining")


def _target(settings: Settings) -> str:
    host = settings.host
    return f"[{host}]:{settings.port}" if ":" in host and not host.startswith("[") else f"{host}:{settings.port}"


def _say(sentence: str) -> None:
    print(f"faced: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - a command speaks


def _fail(sentence: str, code: int) -> int:
    _say(f"error: {sentence}")
    return code
