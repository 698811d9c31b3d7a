"""Runs the steps of the Dockerfile's target `cpu` in clean Debian roots, then the server as compose.yaml does.

    python deploy/image_proof.py FOLDER

For machines without a container engine; needs root, debootstrap and the network that `docker build` would need. Roots
are kept in FOLDER: a second run takes the bare Debian from there. At the end the server runs as its own user, on a
read-only root, without any network but loopback; it must become healthy, analyse a picture, and end with 0 on SIGTERM.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from recipe import Stage, read_recipe

PROJECT = Path(__file__).resolve().parent.parent
TARGET = "cpu"
INSIDE = PROJECT / "deploy" / "image_trial.sh"
HOST_FILES = (
    "/etc/resolv.conf",
    "/etc/pip.conf",
    os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
)
"""What lets the steps reach the package index as this machine does; mounted, so that it is not in the image."""


def main() -> int:
    """Build and try."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    stages = read_recipe(PROJECT / "Dockerfile")
    begun = time.monotonic()
    wanted = needed(stages, TARGET)
    for stage in stages.values():
        if stage.name in wanted:
            build(stage, folder, bare=stage.base not in stages)
    root = folder / TARGET
    base = size_mb(folder / stages[stages[TARGET].base].base.replace(":", "-"))
    say(f"built in {time.monotonic() - begun:.0f} s: {size_mb(root)} MB, of these {base} MB are Debian's")
    return try_out(stages[TARGET], root)


def needed(stages: dict[str, Stage], name: str) -> set[str]:
    """A stage and all that it is made from."""
    stage = stages[name]
    copied = [found[1] for word, rest in stage.steps if word == "COPY" and (found := re.match(r"--from=(\S+)", rest))]
    return {name}.union(*(needed(stages, other) for other in (stage.base, *copied) if other in stages))


def build(stage: Stage, folder: Path, *, bare: bool) -> None:
    """Make the root of a stage, anew; `bare`: it begins with Debian's own image."""
    base = bare_debian(stage.base, folder) if bare else folder / stage.base
    root = folder / stage.name
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "--archive", base, root)
    at, user = Path("/"), "root"
    environment: dict[str, str] = {}
    for word, rest in stage.steps:
        say(f"{stage.name}: {word} {rest}")
        if word == "WORKDIR":
            at = Path(rest)
            inside(root, at).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            copy(rest, root, at, folder)
        elif word == "ENV":
            environment |= variables(rest)
        elif word == "USER":
            user = rest
        else:
            run_in(root, at, user, rest, environment)


def bare_debian(image: str, folder: Path) -> Path:
    """Debian's minimum, from the package source that this machine uses."""
    suite = re.fullmatch(r"debian:(\w+)-slim", image)
    if suite is None:
        raise ValueError(f"FROM {image}: only Debian can be proved here")
    root = folder / image.replace(":", "-")
    if not root.exists():
        sources = [path.read_text() for path in sorted(Path("/etc/apt").glob("sources.list*/*.sources"))]
        listed = Path("/etc/apt/sources.list")
        sources += [re.sub(r"^deb ", "URIs: ", listed.read_text(), flags=re.MULTILINE)] if listed.exists() else []
        mirror = next(filter(None, (re.search(r"^URIs: (\S+debian/?)(\s|$)", text, re.MULTILINE) for text in sources)))
        say(f"debootstrap {suite[1]}")
        run("debootstrap", "--variant=minbase", suite[1], f"{root}.part", mirror[1])
        Path(f"{root}.part").rename(root)
    return root


def copy(rest: str, root: Path, at: Path, folder: Path) -> None:
    """COPY [--from=STAGE] SOURCE... DESTINATION"""
    *sources, destination = shlex.split(rest)
    origin = PROJECT
    if sources[0].startswith("--from="):
        origin = folder / sources.pop(0).removeprefix("--from=")
    to = inside(root, at / destination)
    for source in sources:
        path = inside(origin, Path(source))
        target = to / path.name if destination.endswith("/") else to
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            skipped = shutil.ignore_patterns("__pycache__") if origin is PROJECT else None
            shutil.copytree(path, target, symlinks=True, ignore=skipped, dirs_exist_ok=True)
        else:
            shutil.copy2(path, target)


def run_in(root: Path, at: Path, user: str, command: str, environment: dict[str, str]) -> None:
    """RUN, in mounts of its own that vanish with it."""
    mounts = ["mount --make-rprivate /", f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
    for file in filter(os.path.exists, HOST_FILES):
        inside(root, Path(file)).parent.mkdir(parents=True, exist_ok=True)
        inside(root, Path(file)).touch()
        mounts.append(f"mount --bind $(realpath {file}) {root}{file}")
    chroot = shutil.which("chroot") or "/usr/sbin/chroot"
    words = " && ".join(
        [*mounts, f"exec {chroot} --userspec={user} {root} sh -c {shlex.quote(f'cd {at} && {command}')}"]
    )
    settings = {name: value for name, value in os.environ.items() if name.startswith(("PIP_CERT", "SSL_CERT"))}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    given = {"PATH": path, "DEBIAN_FRONTEND": "noninteractive"} | settings | environment
    subprocess.run(["unshare", "--mount", "sh", "-c", words], check=True, env=given, stdin=subprocess.DEVNULL)


def try_out(stage: Stage, root: Path) -> int:
    """Start, ask, analyse, stop: see image_trial.sh."""
    user = dict(stage.steps)["USER"]
    say(f"{stage.name}: {' '.join(stage.entrypoint)} as {user}, root read-only, no network")
    given = {"FACED_INSECURE": "true", "FACED_METRICS_PORT": "9090"}
    for word, rest in stage.steps:
        given |= variables(rest) if word == "ENV" else {}
    given["PATH"] += ":/usr/sbin:/sbin"
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "sh", INSIDE, root, user]
    words = [shlex.join(stage.entrypoint), shlex.join(stage.health)]
    return subprocess.run([*command, *words], env=given, stdin=subprocess.DEVNULL).returncode


def variables(rest: str) -> dict[str, str]:
    """ENV NAME=VALUE..."""
    return dict(pair.split("=", 1) for pair in shlex.split(rest))


def inside(root: Path, path: Path) -> Path:
    """The place of an image's path on this machine."""
    return root / str(path).lstrip("/")


def size_mb(root: Path) -> int:
    """What its files take."""
    done = subprocess.run(["du", "-sm", root], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[0])


def run(*command: str | Path) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def say(sentence: str) -> None:
    """A line of progress."""
    print(f"image-proof: {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
