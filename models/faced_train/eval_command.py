"""Measure how good the networks' distributions are, on labelled faces put through the server's own code."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from faced_service.exit_codes import DONE, USAGE
from faced_train import eval_detector, eval_faces
from faced_train.command_end import REFUSALS, fail, refuse
from faced_train.report.page import write_page
from faced_train.report.table import print_crops, print_tables

_FORMATS = {
    "emotion": "FER2013 (fer2013.csv, plain or gzip; or a folder for each class)",
    "gender": "UTKFace (folder or tar), Adience (folder with its fold files) or a folder for each class",
    "age": "UTKFace (folder or tar), Adience (folder with its fold files) or a folder for each year or group",
    "detector": "WIDER FACE (its *_bbx_gt.txt) or imglab XML",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subjects and their flags."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    for name, formats in _FORMATS.items():
        text = f"evaluate {name} on {formats}"
        sub = subjects.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--data", type=Path, required=True, metavar="PATH", help=formats)
        sub.add_argument("--json", action="store_true", help="one JSON object on standard output")
        sub.add_argument("--html", type=Path, metavar="FILE", help="a page with diagrams")
        sub.add_argument("--threads", type=_count, metavar="N", help="CPU threads (default: all)")
        sub.add_argument("--models-file", metavar="FILE", help="TOML file of networks, as `faced serve` takes it")
        (eval_detector if name == "detector" else eval_faces).add_arguments(sub, name)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print; 2 for a network that cannot be asked, 3 for data that is wrong, 5 without weights."""
    subject = eval_detector if arguments.subject == "detector" else eval_faces
    try:
        record = subject.evaluate(arguments)
    except REFUSALS as error:
        return refuse("eval", error)
    if arguments.html is not None and "crops" not in record:
        try:
            write_page(record, arguments.html)
        except OSError as error:
            return fail("eval", f"{arguments.html}: cannot be written: {error.strerror}", USAGE)
    if arguments.json:
        sys.stdout.write(json.dumps(record) + "\n")
    elif "crops" in record:
        print_crops(record)
    else:
        print_tables(record)
    return DONE


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)
