"""Chromium without a window, with a camera that plays a file."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from playwright.sync_api import Browser, sync_playwright

from faced_proto.types import RgbImage

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def chromium_path() -> str | None:
    """Where Chromium is installed, None: it is not."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def camera_file(frames: Iterable[RgbImage], folder: Path, *, size: tuple[int, int] | None = None) -> Path:
    """The frames as motion JPEG, which Chromium's camera plays in a loop; `size` cuts the middle out and scales it."""
    path = folder / "camera.mjpeg"
    with path.open("wb") as file:
        for frame in frames:
            if size is not None:
                height, width = frame.shape[:2]
                kept = min(width, round(height * size[0] / size[1]))
                left = (width - kept) // 2
                frame = cv2.resize(frame[:, left : left + kept], size, interpolation=cv2.INTER_AREA)
            file.write(cv2.imencode(".jpg", frame[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return path


@contextmanager
def chromium(camera: Path | None) -> Iterator[Browser]:
    """A browser with this camera, None: it has none. Contexts with the permission `camera` are not asked.

    For it, this machine is also named faces.test.
    """
    flags = [*_FLAGS, "--host-resolver-rules=MAP faces.test 127.0.0.1"]
    if camera is not None:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags)
        try:
            yield browser
        finally:
            browser.close()
