"""Fit a network's probabilities to labelled faces, as the server cuts them out, and write that down."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from faced_models.oversample import Oversample
from faced_service.exit_codes import DONE, USAGE
from faced_train import eval_faces
from faced_train.calibrating import Wish, calibrate
from faced_train.command_end import REFUSALS, fail, refuse
from faced_train.report.table import print_comparison

_SUBJECTS = ("emotion", "gender", "age")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subjects and their flags."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    for name in _SUBJECTS:
        text = f"calibrate the {name} network"
        sub = subjects.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--data", type=Path, required=True, metavar="PATH", help="as for `faced eval`")
        eval_faces.add_data_arguments(sub, name, split="fit")
        where = sub.add_mutually_exclusive_group(required=True)
        where.add_argument(
            "--models-file", "--overlay", metavar="FILE", help="write into this file of networks, made if need be"
        )
        where.add_argument("--in-repo", action="store_true", help="write into the package's own manifest")
        where.add_argument("--dry-run", action="store_true", help="write nothing: fit and compare")
        sub.add_argument(
            "--kind",
            choices=["temperature", "ordinal_kernel"],
            help="what is fitted (default: ordinal_kernel for single years, else temperature)",
        )
        if name == "emotion":
            sub.add_argument(
                "--to", choices=["labels", "votes"], default="labels", help="what to fit to (default: labels)"
            )
        sub.add_argument(
            "--oversample",
            choices=[kind.value for kind in Oversample],
            help="average over views: none, flip, or ten crops (default: as the network's entry has it)",
        )
        sub.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all)")
        sub.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Fit, compare, write; 2 for a network that cannot be asked, 3 for data that is wrong, 5 without weights."""
    wish = Wish(
        overlay=None if arguments.models_file is None else Path(arguments.models_file),
        in_repo=arguments.in_repo,
        kind=arguments.kind,
        oversample=None if arguments.oversample is None else Oversample(arguments.oversample),
        to_votes=getattr(arguments, "to", "labels") == "votes",
    )
    if wish.to_votes and arguments.votes is None:
        return fail("calibrate", "--to votes needs --votes FILE", USAGE)
    try:
        report = calibrate(arguments, wish)
    except (*REFUSALS, OSError) as error:
        return refuse("calibrate", error)
    if arguments.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        print_comparison(report)
    return DONE
