"""The page in a real browser, whose camera plays two people."""

import base64
import json
from itertools import islice

import cv2
import httpx
import numpy as np
import pytest

from faced_service.bench.clip import video_frames
from tests.integration.service.web.browsing import FACES, two_faces, violations

WITHIN_MS = 1500
TRIES = 3
"""The machine may do something else meanwhile: the best of them counts."""


@pytest.fixture(scope="module")
def live(page, opened):
    """A page whose camera runs, and what came over the network until then."""
    with opened("about:blank") as tab:
        answers = []
        tab.on("response", lambda answer: answers.append(answer))
        tab.goto(page)
        tab.click("#start")
        two_faces(tab)
        tab.answers = answers
        yield tab


def test_two_boxes_are_on_the_two_faces_soon_after_the_camera_is_allowed(page, opened, clip_boxes):
    times = []
    for _ in range(TRIES):
        with opened(page) as tab:
            tab.locator("body[data-ready]").wait_for()
            times.append(
                tab.evaluate(
                    """() => new Promise((done) => {
                        const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
                        let allowed;
                        devices.getUserMedia = async (wish) => {
                            const stream = await ask(wish);
                            allowed = performance.now();
                            return stream;
                        };
                        const faces = document.querySelector("#faces");
                        new MutationObserver(() => faces.children.length === 2 && done(performance.now() - allowed))
                            .observe(faces, { childList: true });
                        document.querySelector("#start").click();
                    })"""
                )
            )
            analysed, drawn = tab.evaluate(
                """() => {
                    const { analysed, overlay } = faced.live.stage, { width, height } = overlay, spans = {};
                    const { data } = overlay.getContext("2d").getImageData(0, 0, width, height);
                    for (let i = 0; i < data.length; i += 4) {
                        const colour = data.slice(i, i + 4).join(), x = (i / 4) % width, y = Math.floor(i / 4 / width);
                        const [x0, y0, x1, y1] = (spans[colour] ??= [x, y, x, y]);
                        spans[colour] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
                    }
                    const share = (span) => span.map((value, i) => value / (i % 2 ? height : width));
                    // The colours of the persons 1 and 2.
                    return [analysed, ["20,184,166,255", "245,158,11,255"].map((colour) => share(spans[colour]))];
                }"""
            )
        if times[-1] < WITHIN_MS:
            break
    assert min(times) < WITHIN_MS
    assert {face["track_id"] for face in analysed["faces"]} == {1, 2}
    width, height = analysed["width"], analysed["height"]
    sides = set()
    for face in analysed["faces"]:
        left, top, right, bottom = (face["box"][side] for side in ("left", "top", "right", "bottom"))
        x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
        near = [box for box in clip_boxes if box[0] < x < box[2] and box[1] < y < box[3]]
        assert near
        sides.add(near[0][0] < 0.5)
        # What is drawn is mirrored; above the box its label has the same colour.
        x0, _, x1, y1 = drawn[face["track_id"] - 1]
        assert x0 < 1 - x < x1
        assert abs(x1 - x0) >= (right - left) / width - 0.01
        assert y1 == pytest.approx(bottom / height, abs=0.012)
    assert sides == {True, False}


@pytest.fixture(scope="module")
def clip_boxes(data_dir, page):
    """Of faces in the clip, in shares of width and height, as the server sees them one by one."""
    boxes, sides = [], {"left": 960, "top": 540, "right": 960, "bottom": 540}
    for rgb in islice(video_frames(data_dir / "video" / "two-people.mp4", None), 0, 200, 40):
        jpeg = cv2.imencode(".jpg", rgb[:, :, ::-1])[1].tobytes()
        answer = httpx.post(f"{page}v1/analyze?attributes=none&upsample=0", content=jpeg, timeout=60).json()
        boxes += [[face["box"][side] / size for side, size in sides.items()] for face in answer["faces"]]
    return boxes


def test_the_page_is_small_and_talks_to_its_server_alone(live, page):
    bodies = [len(answer.body()) for answer in live.answers if answer.url.startswith("http")]
    assert all(answer.url.startswith(page) for answer in live.answers)
    assert len(bodies) > 15
    assert sum(bodies) < 200_000


def test_bars_move(live):
    def bars():
        return live.evaluate(
            "() => [...document.querySelectorAll('.rail i, .columns i')].map((bar) => bar.style.transform)"
        )

    before = bars()
    assert len(before) > 100
    live.wait_for_timeout(700)
    assert sum(a != b for a, b in zip(before, bars(), strict=False)) > 10


def test_rate_latency_and_what_is_left_out_are_told(live):
    live.wait_for_timeout(500)
    rate, latency, server = (float(live.text_content(f"#{name}")) for name in ("fps", "latency", "server"))
    assert rate > 0
    assert 0 < server <= latency
    assert live.text_content("#dropped").endswith(" %")
    assert live.text_content("#status") in ("Live", "Overloaded")


def test_settings_reach_the_server(live):
    live.click("#settings-open")
    live.uncheck("input[value=gender]")
    live.locator(".attribute[data-attribute=gender]").first.wait_for(state="detached")
    assert set(
        live.locator(FACES).first.locator(".attribute").evaluate_all("all => all.map((one) => one.dataset.attribute)")
    ) == {*("emotion", "age", "age_group")}
    live.select_option("select[name=min_face]", "166")
    live.locator(FACES).first.wait_for(state="detached")
    live.select_option("select[name=min_face]", "")
    live.check("input[value=gender]")
    two_faces(live)
    live.click("#settings-open")


def test_blur_shows_no_face_and_mirror_turns_the_picture(live, wait_for):
    def detail():
        """How much neighbouring pixels differ in the middle of each box, on the screen."""
        analysed, width = live.evaluate("() => [faced.live.stage.analysed, faced.live.stage.root.clientWidth]")
        shot = cv2.imdecode(np.frombuffer(live.locator("#stage").screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
        edges, scale = np.abs(cv2.Laplacian(shot, cv2.CV_64F)), width / analysed["width"]
        inside = []
        for face in analysed["faces"]:
            x0, y0, x1, y1 = (face["box"][side] * scale for side in ("left", "top", "right", "bottom"))
            dx, dy = (x1 - x0) / 4, (y1 - y0) / 4
            inside.append(edges[int(y0 + dy) : int(y1 - dy), int(width - x1 + dx) : int(width - x0 - dx)].mean())
        return np.array(inside)

    # A screenshot may be of a later picture than the boxes, and show a wall in them.
    clear = max(detail().min() for _ in range(8))
    live.click("#blur")
    assert live.get_attribute("#blur", "aria-pressed") == "true"
    assert wait_for(lambda: 0 < detail().max() < clear / 2)
    live.click("#blur")
    live.click("#mirror")
    assert live.get_attribute("#mirror", "aria-pressed") == "false"
    assert "mirrored" not in live.get_attribute("#video", "class")
    live.click("#mirror")


def test_nothing_is_wrong_for_those_who_do_not_see_or_use_a_mouse(live, page, opened):
    assert violations(live) == []
    with opened(page, phone=True, color_scheme="dark", camera=False) as tab:
        tab.click("#settings-open")
        assert violations(tab) == []
        for path in ("docs", "about/responsible-use", "about/cards/dlib-age"):
            tab.goto(page + path)
            tab.locator("h1").wait_for()
            assert violations(tab) == []


def test_by_keyboard_alone(page, opened):
    with opened(page) as tab:
        tab.keyboard.press("Tab")
        assert tab.evaluate("() => document.activeElement.textContent") == "Skip to the camera"
        for _ in range(12):
            tab.keyboard.press("Tab")
            if tab.evaluate("() => document.activeElement.id") == "start":
                break
        tab.keyboard.press("Enter")
        two_faces(tab)
        # For screen readers, in words.
        tab.locator("#spoken", has_text="2 faces").wait_for()
        tab.locator("#timeline[aria-label^='Now ']").wait_for()


def test_a_phone_held_upright_is_wide_enough(page, opened):
    with opened(page, phone=True) as tab:
        tab.tap("#start")
        two_faces(tab)
        assert tab.evaluate("() => document.documentElement.scrollWidth") == 390
        for name in ("#start", "#mirror", "#blur", "#settings-open"):
            box = tab.locator(name).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
            assert box["height"] >= 40


def test_the_camera_stops_when_the_page_closes(web_serving, opened, wait_for):
    with web_serving() as (url, metrics), opened(url) as tab:

        def streams():
            return metrics.registry.get_sample_value("faced_streams")

        tab.click("#start")
        two_faces(tab)
        assert streams() == 1
        state = tab.evaluate(
            """() => {
                const [track] = document.querySelector("#video").srcObject.getTracks(), before = track.readyState;
                dispatchEvent(new PageTransitionEvent("pagehide"));
                return [before, track.readyState];
            }"""
        )
        assert state == ["live", "ended"]
        assert wait_for(lambda: streams() == 0)
        tab.click("#start")
        two_faces(tab)
        assert streams() == 1
        tab.close()
        assert wait_for(lambda: streams() == 0)


def test_the_restart_of_the_server_is_survived(web_serving, opened):
    with web_serving() as (url, _):
        port = int(url.rstrip("/").rpartition(":")[2])
        restarted = opened(url)
        tab = restarted.__enter__()
        tab.click("#start")
        two_faces(tab)
    try:
        tab.locator("#status[data-state=waiting]").wait_for()
        assert "server" in tab.text_content("#notice h2")
        assert tab.locator(FACES).count() == 0
        with web_serving(web_port=port):
            two_faces(tab)
            assert tab.text_content("#status") == "Live"
            assert tab.text_content("#notice") == ""
    finally:
        restarted.__exit__(None, None, None)


def test_a_picture_is_dropped_and_its_result_downloaded(page, opened, astronaut):
    jpeg = cv2.imencode(".jpg", astronaut[:, :, ::-1])[1].tobytes()
    with opened(page, camera=False) as tab:
        transfer = tab.evaluate_handle(
            """(base64) => {
                const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
                const transfer = new DataTransfer();
                transfer.items.add(new File([bytes], "eileen.jpg", { type: "image/jpeg" }));
                return transfer;
            }""",
            base64.b64encode(jpeg).decode(),
        )
        tab.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
        tab.locator("#picture-state", has_text="One face in 512").wait_for()
        with tab.expect_download() as download:
            tab.click("#save-json")
        analysis = json.loads(download.value.path().read_text())
        assert download.value.suggested_filename == "eileen.json"
        assert analysis["source"] == "eileen.jpg"
        (face,) = analysis["faces"]
        with tab.expect_download() as download:
            tab.click("#save-png")
        assert download.value.suggested_filename == "eileen.faces.png"
        shown = cv2.imread(str(download.value.path()))
        assert shown.shape == (512, 512, 3)
        plain = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        changed = np.argwhere(np.abs(shown.astype(int) - plain).max(axis=2) > 60)
        assert abs(changed[:, 0].max() - face["box"]["bottom"]) < 6
        assert abs(changed[:, 1].min() - face["box"]["left"]) < 6

        # Blurred at once, also what is downloaded; and clear again.
        left, top, right, bottom = (round(face["box"][side]) for side in ("left", "top", "right", "bottom"))
        detail = []
        for _ in range(2):
            tab.click("#blur")
            with tab.expect_download() as download:
                tab.click("#save-png")
            inside = cv2.imread(str(download.value.path()))[top + 12 : bottom - 12, left + 12 : right - 12]
            detail.append(cv2.Laplacian(inside, cv2.CV_64F).var())
        assert detail[0] < 0.5 * detail[1]
