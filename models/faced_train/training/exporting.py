"""`faced export`: a run to ONNX, entry, calibration and card."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace

from faced_models.atomic_file import write_atomically
from faced_models.manifest import load_manifest
from faced_models.model_card import ModelCard
from faced_models.network_entry import NetworkEntry
from faced_train.calibrating import Wish, calibrate
from faced_train.eval_faces import evaluate
from faced_train.eval_task import SERVED
from faced_train.report.card import card_of
from faced_train.split import Split
from faced_train.training.export import export

Json = Mapping[str, object]

_SUBJECTS = ("emotion", "gender", "age")


def export_run(arguments: argparse.Namespace) -> None:
    """Writes NAME.onnx, the entry in the file of networks, NAME.json (the evaluation) and NAME.md (the card).

    Raises:
        DataError, ModelError, WeightsError, SettingsError, DeviceError: what is wrong.
        OSError: nothing can be written.
    """
    made = export(arguments.run, arguments.models_file, arguments.crop, name=arguments.name, licence=arguments.licence)
    _say(f"{made.entry.file}: within {made.difference:.1g} of PyTorch; {made.models_file}: {made.entry.model_id}")
    records: list[Json] = []
    entry = made.entry
    if arguments.data is not None and entry.attribute in _SUBJECTS:
        to_votes = arguments.votes is not None and "votes" in (entry.trained.data if entry.trained else "")
        wish = Wish(overlay=made.models_file, in_repo=False, kind=None, oversample=None, to_votes=to_votes)
        report = calibrate(_flags(arguments, entry, Split(arguments.split)), wish)
        _say(f"calibrated: {report['calibration']}")
        entry = load_manifest(models_file=made.models_file).network(entry.name)
        judged_by = Split.CHECK if arguments.split == Split.FIT.value else Split.ALL
        records.append(evaluate(_flags(arguments, entry, judged_by)))
        write_atomically(made.models_file.with_name(f"{entry.name}.json"), (json.dumps(records[0]) + "\n").encode())
    carded = replace(entry, card=_card(entry))
    card = made.models_file.with_name(f"{entry.name}.md")
    write_atomically(card, card_of(carded, records).encode())
    _say(f"{card}: the card, to be completed with what only you know")


def _flags(arguments: argparse.Namespace, entry: NetworkEntry, split: Split) -> argparse.Namespace:
    """As `faced calibrate` and `faced eval` take them."""
    return argparse.Namespace(
        subject=entry.attribute,
        data=arguments.data,
        votes=arguments.votes,
        usage="held-out",
        model=entry.name,
        split=split.value,
        limit=arguments.limit,
        threads=arguments.threads,
        models_file=str(arguments.models_file),
        path=SERVED,
        skip_bad=False,
        fresh=False,
        raw=False,
        crops=False,
        conditions=None,
    )


def _card(entry: NetworkEntry) -> ModelCard:
    trained = entry.trained
    return ModelCard(
        title=f"{entry.attribute.capitalize()}: {entry.name}",
        authors="whoever ran `faced train`",
        origin="a run of `faced train`",
        method="See the recipe." if trained is None else f"By the recipe {trained.recipe} (SHA-256 below).",
        training_data="Not noted." if trained is None else f"{trained.data}.",
        training_licence=f"The weights: {entry.licence}. The terms of the data are those of whoever handed it out.",
        intended_use=("What it was trained for.",),
        not_for=("Decisions about a person.",),
        known_failures=("See the figures; faces unlike those that it learnt from are worse.",),
    )


def _say(text: str) -> None:
    sys.stderr.write(f"faced export: {text}\n")
