"""Checks the protobuf files: their style, and that nothing breaks peers built from the last git tag.

Run by `make check` in the environment of the code generator. Exits 1 if there is a problem.
"""

import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from lint_breaking import breaking_changes
from lint_style import style_problems

ROOT = Path(__file__).resolve().parent
PACKAGE = "faced"


def read_descriptors(root: Path) -> list[FileDescriptorProto]:
    """Descriptors, with comments, of all files below `root`/faced.

    Raises:
        SystemExit: the compiler refuses them.
    """
    from grpc_tools import protoc  # only the code generator's environment needs it

    sources = sorted(map(str, (root / PACKAGE).rglob("*.proto")))
    if not sources:
        return []
    well_known = resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "descriptors"
        flags = [f"-I{root}", f"-I{well_known}", "--include_source_info", f"--descriptor_set_out={output}"]
        code = protoc.main(["protoc", *flags, *sources])
        if code:
            raise SystemExit(f"proto: protoc failed with code {code}")
        return list(FileDescriptorSet.FromString(output.read_bytes()).file)


def last_tag(repository: Path) -> str | None:
    """The newest tag that the current commit descends from; None without one, or outside a repository."""
    found = subprocess.run(
        ["git", "-C", str(repository), "describe", "--tags", "--abbrev=0"], capture_output=True, text=True
    )
    return found.stdout.strip() if found.returncode == 0 else None


def write_tagged_sources(repository: Path, tag: str, into: Path) -> None:
    """Write the files as they were at `tag` to `into`/faced."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=True).stdout

    folder = f"{ROOT.name}/{PACKAGE}/"
    for name in git("ls-tree", "-r", "--name-only", "--full-tree", tag, folder).decode().splitlines():
        if name.endswith(".proto"):
            target = into / Path(name).relative_to(ROOT.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(git("show", f"{tag}:{name}"))


def changes_since(tag: str, files: list[FileDescriptorProto]) -> list[str]:
    """What breaks peers built at `tag`; nothing if it had no files yet."""
    with tempfile.TemporaryDirectory() as scratch:
        write_tagged_sources(ROOT.parent, tag, Path(scratch))
        return breaking_changes(read_descriptors(Path(scratch)), files)


def main() -> int:
    """Print problems to standard error; 1 if there are any."""
    files = read_descriptors(ROOT)
    problems = style_problems(files)
    tag = last_tag(ROOT.parent)
    if tag is None:
        compared = "no git tag yet, so there are no earlier files to break"
    else:
        problems += [f"breaks {tag}: {change}" for change in changes_since(tag, files)]
        compared = f"compared with {tag}"
    for problem in problems:
        print(f"proto: {problem}", file=sys.stderr)
    if problems:
        return 1
    print(f"proto: {len(files)} files follow the rules; {compared}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
