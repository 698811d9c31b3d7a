"""Numbers that no detector can be trained with are refused by name, before anything is loaded."""

import argparse

import pytest

from faced_service.exit_codes import USAGE
from faced_train import train_command


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--batch", "0"], "--batch is 0, must be at least 1"),
        (["--patience", "-3"], "--patience is -3, must be at least 1"),
        (["--window", "0"], "--window is 0, must be at least 1"),
        (["--steps", "0"], "--steps is 0, must be at least 1"),
        (["--threads", "0"], "--threads is 0, must be at least 1"),
        (["--crop", "-1"], "--crop is -1, must be at least 1"),
        (["--seed", "-1"], "--seed is -1, must be at least 0"),
        (["--crop", "57"], "--crop is 57, must be at least 58 for --window 40"),
        (["--window", "4", "--crop", "20"], "--crop is 20, must be at least 40 for --window 4"),
        (["--network", "full", "--crop", "114"], "--crop is 114, must be at least 115 for --window 80"),
        (
            ["--network", "full", "--window", "40"],
            "--window is 40, must be 80 for --network full: its weights know no other",
        ),
        (["--rate", "0"], "--rate is 0, must be above 0 and below 1"),
        (["--rate", "nan"], "--rate is nan, must be above 0 and below 1"),
    ],
)
def test_a_number_that_is_too_small_is_refused_by_name(flags, told, capsys):
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    assert train_command.run(parser.parse_args(["detector", "there-is-none.xml", *flags])) == USAGE
    assert capsys.readouterr().err == f"faced train: {told}\n"
