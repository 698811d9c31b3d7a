"""Draws the pictures of the page in docs/ anew, in Chromium: python -m tests.page_pictures"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

from faced_proto.types import RgbImage
from tests.browser import camera_file, chromium
from tests.e2e.conftest import serve

DOCS = Path(__file__).resolve().parent.parent / "docs"
DESKTOP, PHONE = {"width": 1280, "height": 1170}, {"width": 390, "height": 844}


def portrait(frames: int) -> Iterator[RgbImage]:
    """A face that moves a little, 960 x 720; public domain, NASA."""
    whole = cv2.resize(astronaut(), (1000, 1000), interpolation=cv2.INTER_CUBIC)
    for number in range(frames):
        angle = 2 * np.pi * number / frames
        x, y = round(20 + 20 * np.cos(angle)), round(15 + 15 * np.sin(2 * angle))
        yield np.ascontiguousarray(whole[y : y + 720, x : x + 960])


def main() -> None:
    """Writes docs/web-*.jpg."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve("--web-port", "0", "--log-level", "error") as server,
        chromium(camera_file(portrait(120), Path(folder))) as browser,
    ):
        url = re.search(r"live page on (\S+)", server.said())[1]
        photo = Path(folder) / "eileen-collins.png"
        cv2.imwrite(str(photo), astronaut()[:, :, ::-1])

        def draw(name: str, window: dict[str, int], scheme: str, *, seconds: float = 0, denied: bool = False) -> None:
            context = browser.new_context(
                viewport=window,
                color_scheme=scheme,
                device_scale_factor=2 if window is PHONE else 1,
                permissions=[] if denied else ["camera"],
            )
            # As on a faster machine: near known faces in between.
            context.add_init_script("""localStorage.setItem("faced-settings", '{"scan": "10"}')""")
            page = context.new_page()
            page.goto(url)
            page.locator("body[data-ready]").wait_for()
            if name == "picture":
                page.set_input_files("#file", photo)
                page.locator("#picture-faces .face").wait_for()
                page.evaluate("() => document.querySelector('#picture').scrollIntoView({ behavior: 'instant' })")
            else:
                page.click("#start")
            if seconds:
                page.locator("#faces .face").wait_for()
            page.wait_for_timeout(500 + 1000 * seconds)
            page.screenshot(path=DOCS / f"web-{name}.jpg", quality=82, type="jpeg")
            context.close()

        draw("light", DESKTOP, "light", seconds=15)
        draw("dark", DESKTOP, "dark", seconds=8)
        draw("phone", PHONE, "dark", seconds=5)
        draw("picture", DESKTOP, "light")
        draw("denied", PHONE, "light", denied=True)


if __name__ == "__main__":
    main()
