"""Train a network by a recipe."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from faced_service.exit_codes import DONE
from faced_service.settings import SettingsError
from faced_train.command_end import REFUSALS, fail, needs_training, refuse
from faced_train.training.mmod.plan import FULL, NETWORKS, SMALL

_SUBJECTS = ("emotion", "gender", "age")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subjects and their flags."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    for name in _SUBJECTS:
        text = f"train {name}"
        usual = "how (default: " + ("emotion with --votes, else emotion-fer2013)" if name == "emotion" else f"{name})")
        sub = subjects.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--data", type=Path, required=True, metavar="PATH", help="as for `faced eval`")
        if name == "emotion":
            sub.add_argument("--votes", type=Path, metavar="FILE", help="FER+'s votes for the same rows")
        sub.add_argument("--recipe", metavar="NAME|FILE", help=usual)
        sub.add_argument(
            "--folder",
            type=Path,
            metavar="DIR",
            help="where checkpoints lie (default: by the recipe's name, in FACED_TRAIN_DIR)",
        )
        sub.add_argument(
            "--start", type=Path, metavar="DIR", help="begin with the weights of another run, as far as they fit"
        )
        sub.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all)")
        sub.add_argument("--epochs", type=int, metavar="N", help="stop after N epochs in all; the next run goes on")
        sub.add_argument("--smoke", action="store_true", help="two short epochs on a few faces, to see that it works")
        sub.add_argument("--skip-bad", action="store_true", help="leave out pictures and names that cannot be read")

    _add_detector(subjects.add_parser("detector", help="train detector", allow_abbrev=False))


def _add_detector(sub: argparse.ArgumentParser) -> None:
    sub.description = "Train a detector of your own from imglab XML, as dlib's dnn_mmod_ex does"
    sub.add_argument("data", type=Path, metavar="XML", help="labelled pictures, in imglab's XML")
    sub.add_argument(
        "--network",
        choices=NETWORKS,
        default=SMALL,
        help="small: that of dnn_mmod_ex, from nothing (default); full: MMOD's own, from the weights that come along",
    )
    sub.add_argument("--name", default="detector", metavar="NAME", help="of the network (default: detector)")
    sub.add_argument(
        "--folder", type=Path, metavar="DIR", help="where the run lies (default: detector, in FACED_TRAIN_DIR)"
    )
    sub.add_argument(
        "--batch", type=int, metavar="N", help="crops in a step (default: what the memory allows, 150 at most)"
    )
    sub.add_argument(
        "--patience", type=int, metavar="N", help="steps without progress before the rate falls (default: by the batch)"
    )
    sub.add_argument(
        "--rate", type=float, metavar="R", help="learning rate that it begins with (default: small 0.1, full 1e-4)"
    )
    sub.add_argument(
        "--window", type=int, metavar="PX", help="longer side of the smallest object (default: 40; full: always 80)"
    )
    sub.add_argument("--crop", type=int, default=200, metavar="PX", help="side of the crops (default: 200)")
    sub.add_argument("--steps", type=int, metavar="N", help="stop after N steps in all; the next run goes on")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="of all chance (default: 0)")
    sub.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Train; 2 for what cannot be asked, 3 for data that is wrong, 5 without weights or PyTorch."""
    try:
        if arguments.subject == "detector":
            _check(arguments)
        _train(arguments)
    except (*REFUSALS, OSError) as error:
        return refuse("train", error)
    except KeyboardInterrupt:
        after = "save" if arguments.subject == "detector" else "whole epoch"
        return fail("train", f"cut off; the same command goes on after the last {after}", 130)
    return DONE


def _train(arguments: argparse.Namespace) -> None:
    with needs_training():
        from faced_train.training.mmod.run import train_detector
        from faced_train.training.run import train
    if arguments.subject == "detector":
        train_detector(arguments)
    else:
        train(arguments)


def _check(arguments: argparse.Namespace) -> None:
    """Refuses numbers that no detector can be trained with, by name."""
    from faced_train.training.mmod.cropper import LARGEST

    for name in ("batch", "patience", "window", "crop", "steps", "threads"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise SettingsError(f"--{name} is {value}, must be at least 1")
    if arguments.seed < 0:
        raise SettingsError(f"--seed is {arguments.seed}, must be at least 0")
    if arguments.rate is not None and not 0 < arguments.rate < 1:
        raise SettingsError(f"--rate is {arguments.rate:g}, must be above 0 and below 1")
    usual = NETWORKS[arguments.network].window
    window = arguments.window or usual
    if arguments.network == FULL and window != usual:
        raise SettingsError(f"--window is {window}, must be {usual} for --network {FULL}: its weights know no other")
    # In fewer than 40 pixels the network has no output.
    least = max(math.ceil(window / LARGEST), 40)
    if arguments.crop < least:
        raise SettingsError(f"--crop is {arguments.crop}, must be at least {least} for --window {window}")
