"""What the page says where something is missing, forbidden or too much."""

from tests.integration.service.web.browsing import FACES, two_faces, violations


def notice(tab, words):
    tab.locator("#notice h2", has_text=words).wait_for()


def test_a_camera_that_is_denied(page, opened):
    with opened(page, camera=False) as tab:
        tab.click("#start")
        notice(tab, "The camera is not allowed")
        assert tab.get_attribute("#status", "data-state") == "bad"
        assert tab.text_content("#start") == "Start camera"
        assert violations(tab) == []


def test_a_camera_that_is_missing_or_taken(page, opened):
    with opened(page) as tab:
        for error, words in (
            ("NotFoundError", "There is no camera"),
            ("NotReadableError", "The camera cannot be read"),
            ("OddError", "The camera could not be started"),
        ):
            tab.evaluate(
                """(name) => (navigator.mediaDevices.getUserMedia = async () => {
                    throw new DOMException("why", name);
                })""",
                error,
            )
            tab.click("#start")
            notice(tab, words)
            assert tab.get_attribute("#status", "data-state") == "bad"


def test_a_camera_that_is_unplugged(page, opened):
    with opened(page) as tab:
        tab.click("#start")
        two_faces(tab)
        tab.evaluate(
            "() => document.querySelector('#video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))"
        )
        notice(tab, "The camera is gone")
        assert tab.locator(FACES).count() == 0


# The camera comes late; what it gave, and the sockets that were opened, are kept.
LATE = """() => {
    globalThis.given = []; globalThis.sockets = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
        await new Promise((done) => setTimeout(done, 150 + 100 * given.length));
        const stream = await open(wish);
        given.push(stream.getTracks()[0]);
        return stream;
    };
    const Plain = WebSocket;
    globalThis.WebSocket = class extends Plain {
        constructor(...all) { super(...all); sockets.push(this); }
    };
}"""
LEFT = """() => [
    given.filter((track) => track.readyState === "live").length,
    sockets.filter((socket) => socket.readyState <= WebSocket.OPEN).length,
]"""


def test_a_start_that_is_cancelled_leaves_no_camera_on(page, opened, wait_for):
    with opened(page) as tab:
        tab.evaluate(LATE)
        tab.click("#start")
        assert tab.text_content("#start") == "Cancel"
        tab.click("#start")
        assert tab.text_content("#start") == "Start camera"
        assert wait_for(lambda: tab.evaluate("() => given.length") == 1)
        assert wait_for(lambda: tab.evaluate(LEFT) == [0, 0])
        assert tab.text_content("#status") == "Camera off"


def test_of_two_starts_the_second_counts(page, opened, wait_for):
    with opened(page) as tab:
        tab.evaluate(LATE)
        tab.evaluate("() => { faced.live.start(); faced.live.start(); setTimeout(() => faced.live.start(), 200); }")
        two_faces(tab)
        assert wait_for(lambda: tab.evaluate("() => given.length") == 3)
        assert wait_for(lambda: tab.evaluate(LEFT) == [1, 1])
        tab.click("#start")
        assert wait_for(lambda: tab.evaluate(LEFT) == [0, 0])
        assert tab.text_content("#status") == "Camera off"


def test_another_camera_is_taken_where_the_chosen_one_is_gone(page, opened):
    with opened(page) as tab:
        tab.click("#start")
        two_faces(tab)
        tab.evaluate(
            """() => {
                const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
                navigator.mediaDevices.getUserMedia = async (wish) => {
                    if (wish.video.deviceId) throw new OverconstrainedError("deviceId", "gone");
                    return open(wish);
                };
                faced.live.start("gone");
            }"""
        )
        tab.locator("#status", has_text="Live").wait_for()
        two_faces(tab)


def test_a_camera_that_another_program_takes_for_a_while(page, opened):
    tell = "(type) => document.querySelector('#video').srcObject.getTracks()[0].dispatchEvent(new Event(type))"
    with opened(page) as tab:
        tab.click("#start")
        two_faces(tab)
        tab.evaluate(tell, "mute")
        notice(tab, "The camera is paused")
        assert tab.text_content("#status") == "Camera paused"
        # Also where the server comes anew meanwhile.
        tab.evaluate("() => faced.live.connection.restart()")
        tab.wait_for_timeout(1500)
        assert tab.text_content("#status") == "Camera paused"
        assert tab.locator(FACES).count() == 0
        tab.evaluate(tell, "unmute")
        tab.locator("#status", has_text="Live").wait_for()
        two_faces(tab)
        assert tab.locator("#notice h2").count() == 0


def test_a_camera_that_falls_silent_is_no_overload(page, opened):
    with opened(page) as tab:
        tab.click("#start")
        two_faces(tab)
        tab.evaluate("() => { faced.live.capture.next = () => {}; }")
        tab.locator(FACES).first.wait_for(state="detached")
        tab.wait_for_timeout(5500)
        assert tab.text_content("#status") == "Live"
        assert tab.text_content("#dropped") == "0 %"


def test_an_address_where_browsers_allow_no_camera(web_serving, opened):
    # Any name but localhost over plain HTTP; the browser is told that this machine has it.
    with web_serving(web_hosts=("faces.test",)) as (url, _), opened(url.replace("127.0.0.1", "faces.test")) as tab:
        notice(tab, "This address may not use a camera")
        assert "localhost" in tab.text_content("#notice")


def test_the_token_is_asked_for_once_and_kept_until_the_tab_is_closed(web_serving, opened, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("door:t0k-door\n")
    with web_serving(token_file=tokens) as (url, _), opened(url) as tab:
        tab.locator("#token-dialog[open]").wait_for()
        assert violations(tab) == []
        tab.fill("#token", "“t0k-door”")
        tab.keyboard.press("Enter")
        tab.locator("#token-why", has_text="some programs change quotes").wait_for()
        tab.fill("#token", "t0k-wrong")
        tab.keyboard.press("Enter")
        tab.locator("#token-why", has_text="does not know the token").wait_for()
        tab.fill("#token", "t0k-door")
        tab.keyboard.press("Enter")
        tab.locator("body[data-ready]").wait_for()
        tab.click("#start")
        two_faces(tab)
        assert tab.evaluate("() => [Object.values(sessionStorage), Object.values(localStorage).join()]")[0] == [
            "t0k-door"
        ]
        assert "t0k" not in tab.evaluate("() => Object.values(localStorage).join() + document.cookie + location.href")
        tab.reload()
        tab.locator("body[data-ready]").wait_for()
        assert not tab.locator("#token-dialog").is_visible()
        # Taken out of the file while the camera runs: it is asked for anew.
        tab.click("#start")
        two_faces(tab)
        tokens.write_text("door:t0k-other\n")
        tab.locator("#token-dialog[open]").wait_for()
        tab.click("#token-cancel")
        notice(tab, "See what faces show")


def test_what_the_server_does_not_allow_is_told_and_not_asked_for(web_serving, opened):
    with web_serving(allowed_attributes=("emotion", "gender")) as (url, _):
        port = int(url.rstrip("/").rpartition(":")[2])
        window = opened(url)
        tab = window.__enter__()
        tab.locator("body[data-ready]").wait_for()
        tab.click("#settings-open")
        assert tab.is_disabled("input[value=age]")
        assert "not allowed on this server" in tab.text_content("label:has(input[value=age])")
        tab.click("#start")
        two_faces(tab)
        assert tab.locator(FACES).first.locator(".attribute").count() == 2
    try:
        # It comes back and allows less.
        with web_serving(allowed_attributes=("emotion",), web_port=port):
            two_faces(tab)
            assert tab.locator(FACES).first.locator(".attribute").count() == 1
            assert tab.is_disabled("input[value=gender]")
            assert "gender" in tab.text_content("#toast")
    finally:
        window.__exit__(None, None, None)


def test_a_server_that_cannot_keep_up_says_what_is_left_out(web_serving, opened):
    with web_serving(requests_per_second=2) as (url, _), opened(url) as tab:
        tab.click("#start")
        two_faces(tab)
        tab.locator("#status[data-state=busy]", has_text="Overloaded").wait_for()
        assert int(tab.text_content("#dropped").removesuffix(" %")) > 70
        assert violations(tab) == []


def test_a_server_that_is_full_is_waited_for(web_serving, opened, camera_of):
    with web_serving(streams_per_caller=1) as (url, _), opened(url) as tab:
        with camera_of(url, {}) as first:
            assert first.hear()["type"] == "started"
            tab.click("#start")
            notice(tab, "The server is full")
            assert "streams_per_caller" in tab.text_content("#notice")
        two_faces(tab)


def test_a_withheld_and_a_failed_attribute_are_told(page, opened, astronaut, face_jpeg):
    def altered(route):
        answer = route.fetch()
        analysis = answer.json()
        attributes = analysis["faces"][0]["attributes"]
        attributes["gender"], attributes["age"] = {"withheld": "may_be_minor"}, {"error": "model_failed"}
        route.fulfill(response=answer, json=analysis)

    with opened(page, camera=False) as tab:
        tab.route("**/v1/analyze*", altered)
        tab.set_input_files("#file", {"name": "face.jpg", "mimeType": "image/jpeg", "buffer": face_jpeg})
        card = tab.locator("#picture-faces .face")
        card.locator("[data-attribute=gender]", has_text="may be a child's").wait_for()
        assert "model failed" in card.locator("[data-attribute=age]").text_content()
        assert violations(tab) == []


def test_a_picture_that_cannot_be_read_and_a_server_that_is_gone(web_serving, opened, face_jpeg):
    with web_serving() as (url, _), opened(url, camera=False) as tab:
        tab.set_input_files("#file", {"name": "note.txt", "mimeType": "text/plain", "buffer": b"hello"})
        tab.locator("#picture-state.bad", has_text="JPEG").wait_for()
        tab.context.set_offline(True)
        tab.set_input_files("#file", {"name": "face.jpg", "mimeType": "image/jpeg", "buffer": face_jpeg})
        tab.locator("#picture-state.bad", has_text="does not answer").wait_for()
