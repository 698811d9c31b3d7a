"""What the default networks reach on a few faces of the development data, put through the server's own code.

`python -m tests.accuracy.table` records it anew, in recorded.json.
"""

import contextlib
import io
import json
from pathlib import Path

from faced_service.main import main
from tests.conftest import find_data

RECORDED = Path(__file__).with_name("recorded.json")

EVALUATIONS = {
    "emotion": ("fer2013/fer2013.csv.gz", "fer2013/ferplus_votes.csv", 240),
    "gender": ("utkface/utkface_112_dev.tar", None, 160),
    "age": ("utkface/utkface_112_dev.tar", None, 160),
    "detector": ("detection", None, None),
}
BETTER_IF_MORE = (
    "accuracy",
    "accuracy_6",
    "macro_f1",
    "accuracy_votes",
    "accuracy_16",
    "exact",
    "one_off",
    "ap50",
    "recall",
)
BETTER_IF_LESS = ("missed", "nll", "kl_votes", "mae", "crps")


def evaluate(subject: str, data: Path) -> dict[str, float]:
    """The figures that may not get worse."""
    path, votes, limit = EVALUATIONS[subject]
    flags = ["--data", str(data / path), "--json", "--fresh"]
    flags += ["--votes", str(data / votes)] if votes else []
    flags += ["--split", "check", "--limit", str(limit)] if limit else []
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["eval", subject, *flags])
    assert code == 0
    record = json.loads(out.getvalue())
    return {name: record[name] for name in (*BETTER_IF_MORE, *BETTER_IF_LESS) if name in record}


if __name__ == "__main__":
    folder = find_data()
    if folder is None:
        raise SystemExit("needs the development data: set FACED_DATA to its folder")
    RECORDED.write_text(json.dumps({name: evaluate(name, folder) for name in EVALUATIONS}, indent=2) + "\n")
