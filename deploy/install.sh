#!/bin/sh
# install.sh FOLDER EXTRAS: installs the package in the current folder into an environment of its own.
set -eu
python3 -m venv "$1"
"$1/bin/pip" install --no-cache-dir --disable-pip-version-check ".[$2]"
# A server shows no windows: OpenCV without them needs none of the system's graphics libraries (213 MB).
version=$("$1/bin/python" -c 'from importlib.metadata import version; print(version("opencv-python"))')
"$1/bin/pip" uninstall --yes --quiet opencv-python
"$1/bin/pip" install --no-cache-dir --disable-pip-version-check --no-deps "opencv-python-headless==$version"
"$1/bin/pip" uninstall --yes --quiet pip
"$1/bin/faced" models verify
