"""Writes proto/faced_proto/v1 from proto/faced/v1, or (`--check`) proves that what is committed is current.

Run by `make proto` and `make check` in an environment of its own that holds the oldest supported code generator:
generated code runs on its own protobuf version and newer ones, never on older ones.
"""

import argparse
import filecmp
import re
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
SOURCES = sorted((ROOT / "faced" / "v1").glob("*.proto"))
OUTPUT = ROOT / "faced_proto" / "v1"


def generate(into: Path) -> None:
    """Write the modules of all sources to `into`, importing each other as `faced_proto.v1`."""
    well_known = resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as scratch:
        outs = [f"--python_out={scratch}", f"--pyi_out={scratch}", f"--grpc_python_out={scratch}"]
        code = protoc.main(["protoc", f"-I{ROOT}", f"-I{well_known}", *outs, *map(str, SOURCES)])
        if code:
            raise SystemExit(f"protoc failed with code {code}")
        for path in sorted((Path(scratch) / "faced" / "v1").iterdir()):
            if path.name.endswith("_grpc.py") and path.name != "service_pb2_grpc.py":
                continue  # files without a service give empty stubs
            text = path.read_text()
            (into / path.name).write_text(re.sub(r"\bfrom faced\.v1 import", "from faced_proto.v1 import", text))


def main() -> int:
    """Generate, or compare with `--check`; 1 if the committed code differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the committed code differs")
    if not parser.parse_args().check:
        generate(OUTPUT)
        return 0
    with tempfile.TemporaryDirectory() as fresh:
        generate(Path(fresh))
        wanted = {p.name for p in Path(fresh).iterdir()}
        present = {p.name for p in OUTPUT.iterdir() if p.name not in ("__init__.py", "__pycache__")}
        _, changed, missing = filecmp.cmpfiles(fresh, OUTPUT, wanted, shallow=False)
        stale = sorted({*changed, *missing, *(present - wanted)})
    if stale:
        print("proto: run `make proto`; not current:", *stale, file=sys.stderr)
        return 1
    print(f"proto: {len(wanted)} generated files are current")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
