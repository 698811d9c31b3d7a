"""What `--camera` names: a number, a device, a file, a folder of pictures, or an address on the network."""

from __future__ import annotations

from pathlib import Path

from faced_cli.camera_device import CameraDevice
from faced_cli.camera_file import CameraFile
from faced_cli.camera_url import CameraUrl
from faced_cli.errors import InputError
from faced_cli.live_source import LiveSource, ThreadedSource

_LARGEST = 2**31 - 1
"""OpenCV takes the number of a camera as a signed integer of 32 bits."""


def open_camera(name: str) -> LiveSource:
    """The camera of that name, open and not yet capturing.

    Raises:
        InputError: there is none, or it gives no pictures.
    """
    if name.isascii() and name.isdigit():
        # By its length first: Python reads no number of thousands of digits.
        if len(name) > len(str(_LARGEST)) or int(name) > _LARGEST:
            raise InputError(f"camera {name}: no camera has such a number, the largest is {_LARGEST}")
        return CameraDevice(int(name))
    if "://" in name and not name.startswith("file://"):
        return ThreadedSource(CameraUrl(name))
    path = Path(name.removeprefix("file://"))
    if path.is_char_device() or (path.is_absolute() and path.parts[1:2] == ("dev",)):
        return CameraDevice(name)
    return ThreadedSource(CameraFile(path))
