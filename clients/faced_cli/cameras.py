"""What `--camera` names: a number, a device, a file, a folder of pictures, or an address on the network."""

from __future__ import annotations

from pathlib import Path

from faced_cli.camera_device import CameraDevice
from faced_cli.camera_file import CameraFile
from faced_cli.camera_url import CameraUrl
from faced_cli.live_source import LiveSource, ThreadedSource


def open_camera(name: str) -> LiveSource:
    """The camera of that name, open and not yet capturing.

    Raises:
        InputError: there is none, or it gives no pictures.
    """
    if name.isascii() and name.isdigit():
        return CameraDevice(int(name))
    if "://" in name and not name.startswith("file://"):
        return ThreadedSource(CameraUrl(name))
    path = Path(name.removeprefix("file://"))
    if path.is_char_device() or (path.is_absolute() and path.parts[1:2] == ("dev",)):
        return CameraDevice(name)
    return ThreadedSource(CameraFile(path))
