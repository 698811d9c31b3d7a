"""Make a network that a server takes out of a training run."""

from __future__ import annotations

import argparse
from pathlib import Path

from faced_models.crop import CropKind, CropRecipe
from faced_service.exit_codes import DONE
from faced_train.command_end import REFUSALS, needs_training, refuse

_CROP = CropRecipe(CropKind.BLEND, 0, 0.25)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From where, to where, and how faces are to be cut out for it."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run of `faced train`")
    parser.add_argument(
        "--models-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="write the entry into this file of networks, made if need be",
    )
    parser.add_argument("--name", metavar="NAME", help="of the network (default: the recipe's)")
    parser.add_argument(
        "--crop",
        type=_crop,
        default=_CROP,
        metavar="KIND:PADDING",
        help="how servers are to cut faces out: chip, box, blend or face_aligner (default: blend:0.25; "
        "`faced eval X --crops` compares)",
    )
    parser.add_argument("--licence", metavar="TEXT", help="of the weights, for replies and lists")
    parser.add_argument(
        "--data", type=Path, metavar="PATH", help="calibrate on these faces, and write a card with their figures"
    )
    parser.add_argument(
        "--votes",
        type=Path,
        metavar="FILE",
        help="FER+'s votes for them; networks that learnt votes are calibrated to these",
    )
    parser.add_argument(
        "--split",
        choices=["all", "fit"],
        default="fit",
        help="calibrate on two thirds of the faces, or all (default: fit)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only every k-th face, N in all")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Export; 2 for what cannot be asked or written, 3 for wrong data or a wrong run, 5 without weights or PyTorch."""
    try:
        with needs_training():
            from faced_train.training.exporting import export_run
        export_run(arguments)
    except (*REFUSALS, OSError) as error:
        return refuse("export", error)
    return DONE


def _crop(text: str) -> CropRecipe:
    kind, _, padding = text.partition(":")
    try:
        return CropRecipe(CropKind(kind), 0, float(padding))
    except ValueError:
        known = ", ".join(one.value for one in CropKind)
        raise argparse.ArgumentTypeError(
            f"{text!r} is not KIND:PADDING, such as blend:0.25; kinds are {known}"
        ) from None
