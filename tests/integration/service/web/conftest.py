"""A server with its gateway, and callers of it."""

import json
import time
from contextlib import contextmanager, suppress

import cv2
import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from faced_service.bench.clip import video_frames
from tests.browser import camera_file, chromium, chromium_path


@pytest.fixture(scope="session")
def web_serving(serving):
    """A context manager: a server with these settings and a live page; gives the page's address and the metrics."""

    @contextmanager
    def web_serving(**settings):
        pages = []
        with serving(on_page=pages.append, **{"web_port": 0, **settings}) as (_, metrics):
            yield pages[0], metrics

    return web_serving


@pytest.fixture(scope="session")
def page(web_serving):
    with web_serving() as (url, _):
        yield url


@pytest.fixture
def http(page):
    with httpx.Client(base_url=page, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def face_jpeg(astronaut):
    """Only the head: 256 x 256 pixels."""
    return jpeg(astronaut[:256, 96:352])


def jpeg(rgb):
    return cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


class Camera:
    """A caller of the camera socket."""

    def __init__(self, url, start=None, **options):
        self._connecting = connect(f"{url.replace('http', 'ws', 1)}v1/stream", max_size=None, **options)
        self.socket = self._connecting.__enter__()
        if start is not None:
            self.say(start)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connecting.__exit__(None, None, None)

    def say(self, start):
        # It may have been refused before; why is heard then.
        with suppress(ConnectionClosed):
            self.socket.send(json.dumps({"type": "start", **start}))

    def send(self, picture):
        self.socket.send(picture)

    def hear(self):
        return json.loads(self.socket.recv(timeout=30))

    def end(self):
        """The code with which the server closes."""
        while True:
            try:
                self.socket.recv(timeout=30)
            except ConnectionClosed:
                return self.socket.protocol.close_code


@pytest.fixture
def camera(page):
    with Camera(page, {}) as camera:
        assert camera.hear()["type"] == "started"
        yield camera


@pytest.fixture(scope="session")
def camera_of():
    """Camera(page, start=None): opens a socket; a start is sent at once."""
    return Camera


@pytest.fixture(scope="session")
def wait_for():
    """wait_for(condition, seconds=15): whether it came true."""

    def wait(condition, seconds=15):
        end = time.monotonic() + seconds
        # Asked once more after it came true, what comes and goes could be gone.
        while not (true := condition()) and time.monotonic() < end:
            time.sleep(0.05)
        return true

    return wait


@pytest.fixture(scope="session")
def clip(data_dir, tmp_path_factory):
    """What the browser's camera plays."""
    video = video_frames(data_dir / "video" / "two-people.mp4", None)
    return camera_file(video, tmp_path_factory.mktemp("camera"))


# Of a module and no longer: as long as Playwright is open, its event loop is taken for the thread's own, and no other
# test can run one.
@pytest.fixture(scope="module")
def browser(clip):
    if chromium_path() is None:
        pytest.skip("the page was not tried: Chromium is not installed")
    with chromium(clip) as browser:
        yield browser


@pytest.fixture(scope="module")
def opened(browser):
    """A context manager: a page with this address, in a window of its own, whose scripts must not fail."""

    @contextmanager
    def opened(url, *, phone=False, camera=True, **options):
        window = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
        permissions = ["camera"] if camera else []
        context = browser.new_context(viewport=window, has_touch=phone, permissions=permissions, **options)
        page, faults = context.new_page(), []
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        try:
            yield page
        finally:
            context.close()
        assert faults == []

    return opened
