"""`faced-cli status`: what the server is and what it runs."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import faced_client
from faced_cli.arguments import StatusArguments
from faced_cli.connection import Reached, reach
from faced_cli.refusal import command_error
from faced_cli.render import json_line
from faced_cli.terminal import output_failures_told, print_text, visible
from faced_proto.json_values import JsonObject
from faced_proto.types import ModelInfo, ServerInfo


def run_status(arguments: StatusArguments) -> int:
    """Prints what the server says of itself.

    Raises:
        CommandError: there is no server, or it refuses.
    """
    with reach(arguments.connection) as reached:
        try:
            info = reached.client.server_info()
        except faced_client.FacedError as error:
            raise command_error(error, reached.address) from error
        if arguments.json:
            print_text(json_line(status_object(reached.address, info)) + "\n")
        else:
            console = Console(highlight=False)
            with output_failures_told(), console.capture() as text:
                _print(reached, info, console)
            print_text(text.get())
    return 0


def status_object(address: str, info: ServerInfo) -> JsonObject:
    """What the server says of itself, as JSON."""
    return {
        "version": info.version,
        "address": address,
        "device": info.engine.device,
        "backend": info.engine.backend,
        "precision": info.engine.precision.value,
        "attributes": list(info.attributes),
        "models": [_model_object(model) for model in info.models],
        "limits": {
            "max_message_bytes": info.limits.max_message_bytes,
            "max_pixels": info.limits.max_pixels,
            "max_upscaled_pixels": info.limits.max_upscaled_pixels,
            "max_detect_pixels": info.limits.max_detect_pixels,
        },
        "notices": list(info.notices),
    }


def _model_object(model: ModelInfo) -> JsonObject:
    return {
        "id": model.model,
        "role": model.role.value,
        "attribute": model.attribute or None,
        "calibrated": model.calibrated,
        "licence": model.licence,
        "input_size": model.input_size or None,
    }


def _print(reached: Reached, info: ServerInfo, console: Console) -> None:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("server", Text(visible(f"faced {info.version}, {reached.address}"), style="bold"))
    engine = f"{info.engine.device} ({info.engine.backend}, {info.engine.precision.value})"
    facts.add_row("device", Text(visible(engine)))
    facts.add_row("pictures", f"up to {_millions(info.limits.max_pixels)} pixels")
    facts.add_row("detection", f"up to {_millions(info.limits.max_detect_pixels)} pixels; larger ones are shrunk")
    facts.add_row("enlarging", f"up to {_millions(info.limits.max_upscaled_pixels)} pixels")
    facts.add_row("messages", f"up to {info.limits.max_message_bytes / 2**20:.0f} MiB")
    for notice in info.notices:
        facts.add_row(Text("notice", style="yellow"), Text(visible(notice)))
    models = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    models.add_column("for", no_wrap=True, style="bold")
    models.add_column("model", overflow="fold")
    models.add_column("licence", overflow="fold")
    models.add_column("calibrated")
    for model in info.models:
        shown = model.attribute.replace("_", " ") or model.role.value
        calibrated = ("yes" if model.calibrated else "no") if model.attribute else "-"
        models.add_row(*(Text(visible(cell)) for cell in (shown, model.model, model.licence, calibrated)))
    console.print(facts)
    console.print(models)


def _millions(pixels: int) -> str:
    return f"{pixels / 1e6:g} million"
