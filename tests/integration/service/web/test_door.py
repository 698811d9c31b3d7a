"""Who comes in: origins, names, tokens, certificates, allowances; and what every answer bears."""

import ssl

import httpx
import pytest
import trustme
from websockets.exceptions import InvalidStatus

from faced_service.exit_codes import ADDRESS_IN_USE
from faced_service.main import main


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("door:t0k-door\nhall:t0k-hall\n")
    return path


def bearer(token):
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "path", ["", "docs", "style.css", "main.js", "v1/info", "openapi.json", "nowhere", "about/cards/mmod"]
)
def test_every_answer_bears_the_security_headers(http, path):
    headers = http.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("camera=(self)")
    assert "server" not in headers


def test_the_page_is_small_and_asks_nobody_else(http):
    import re

    names, seen, total = ["", "style.css", "icon.svg"], set(), 0
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        text = http.get(name).raise_for_status().text
        total += len(text.encode())
        for found in re.findall(r"https?://[^\"'\s)<]+", text):
            assert found == "http://www.w3.org/2000/svg"
        assert not re.search(r"\son\w+=|style=\"|<script(?![^>]*src=)", text)
        names += re.findall(r"(?:from \"\./|src=\"/)([\w.]+js)\"", text)
    assert len(seen) > 12
    assert total < 200_000


def test_cards_and_responsible_use_are_pages_of_the_server(http):
    documents = http.get("v1/info").json()["documents"]
    assert "/about/responsible-use" in documents
    assert {"/about/cards/faced-emotion", "/about/cards/mini-xception", "/about/cards/mmod"} < set(documents)
    assert len(documents) == 7
    for path in documents:
        answer = http.get(path)
        assert answer.status_code == 200
        assert "<h1>" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/about/../secrets", 404, "not_found"),
        ("GET", "/about/nothing", 404, "not_found"),
        ("GET", "/v1/analyze", 405, "method_not_allowed"),
        ("DELETE", "/v1/info", 405, "method_not_allowed"),
        ("PUT", "/style.css", 405, "method_not_allowed"),
    ],
)
def test_what_no_route_answers_is_refused_like_everything_else(http, method, path, status, reason):
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert answer.headers["content-security-policy"]
    assert path.rpartition("/")[2] in answer.json()["message"]
    if status == 405:
        assert method in answer.json()["message"]


def test_a_foreign_page_may_neither_read_nor_open_a_socket(page, http, camera_of, face_jpeg):
    answer = http.post("v1/analyze", content=face_jpeg, headers={"origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
    assert "elsewhere.example" in answer.json()["message"]
    with pytest.raises(InvalidStatus) as refused:
        camera_of(page, {}, origin="https://elsewhere.example")
    assert refused.value.response.status_code == 403
    own = page.rstrip("/")
    assert http.post("v1/analyze", content=face_jpeg, headers={"origin": own}).status_code == 200
    with camera_of(page, {}, origin=own) as camera:
        assert camera.hear()["type"] == "started"


def test_on_loopback_only_its_own_names_count(http):
    answer = http.get("", headers={"host": "rebound.example:8080"})
    assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
    assert http.get("", headers={"host": "localhost:8080"}).status_code == 200


def test_names_can_be_set(web_serving):
    with web_serving(web_hosts=("faces.example",)) as (url, _):
        assert httpx.get(url).status_code == 403
        assert httpx.get(url, headers={"host": "faces.example:8443"}).status_code == 200


def test_without_a_token_nobody_comes_in(web_serving, token_file, camera_of, face_jpeg):
    with web_serving(token_file=token_file) as (url, metrics), httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("").status_code == 200
        for headers in ({}, bearer("t0k-wrong"), {"authorization": "Basic dDprCg=="}):
            for answer in (
                client.get("v1/info", headers=headers),
                client.post("v1/analyze", content=face_jpeg, headers=headers),
            ):
                assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert client.post("v1/analyze", content=face_jpeg, headers=bearer("t0k-door")).status_code == 200
        labels = {"method": "POST /v1/analyze", "code": "OK", "caller": "door"}
        assert metrics.registry.get_sample_value("faced_requests_total", labels) == 1
        for start in ({}, {"token": "t0k-wrong"}):
            with camera_of(url, start) as camera:
                refusal = camera.hear()
                assert (refusal["type"], refusal["error"]) == ("error", "unauthenticated")
                assert camera.end() == 4401
        with camera_of(url, {"token": "t0k-hall"}) as camera:
            assert camera.hear()["type"] == "started"
            camera.send(face_jpeg)
            assert len(camera.hear()["faces"]) == 1
            # Taken out of the file: the socket ends with its next picture.
            token_file.write_text("door:t0k-door\n")
            camera.send(face_jpeg)
            assert camera.hear()["error"] == "unauthenticated"
            assert camera.end() == 4401


def test_a_caller_has_one_allowance_whichever_way_it_comes(web_serving, token_file, face_jpeg):
    with web_serving(token_file=token_file, requests_per_second=0.1) as (url, _):
        answers = [httpx.get(f"{url}v1/info", headers=bearer("t0k-door")) for _ in range(4)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        refused = answers[-1]
        assert (refused.status_code, refused.json()["error"]) == (429, "quota")
        assert refused.json()["retry_after_s"] > 1
        assert int(refused.headers["retry-after"]) >= 1
        assert httpx.get(f"{url}v1/info", headers=bearer("t0k-hall")).status_code == 200


def test_tls_is_the_servers_and_is_rotated_with_it(web_serving, tmp_path, camera_of):
    authority = trustme.CA()

    def exchange(authority):
        issued = authority.issue_cert("localhost", "127.0.0.1")
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        for name, content in (("key.pem", issued.private_key_pem.bytes()), ("cert.pem", chain)):
            (tmp_path / "new").write_bytes(content)
            (tmp_path / "new").replace(tmp_path / name)

    def trusting(authority):
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    exchange(authority)
    with web_serving(tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem") as (url, _):
        assert url.startswith("https://")
        assert httpx.get(f"{url}v1/health", verify=trusting(authority)).json() == {"status": "serving"}
        with camera_of(url, {}, ssl=trusting(authority)) as camera:
            assert camera.hear()["type"] == "started"
        newer = trustme.CA()
        exchange(newer)
        assert httpx.get(f"{url}v1/health", verify=trusting(newer)).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}v1/health", verify=trusting(authority))


def test_callers_certificates_are_asked_for_and_named(web_serving, tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = {"tls_cert": tmp_path / "cert.pem", "tls_key": tmp_path / "key.pem", "tls_client_ca": tmp_path / "ca.pem"}
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with web_serving(**files, requests_per_second=0.1) as (url, _):
        with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
            httpx.get(f"{url}v1/health", verify=context)
        answers = {}
        for name in ("door", "hall"):
            mutual = ssl.create_default_context()
            authority.configure_trust(mutual)
            authority.issue_cert(f"{name}.example", common_name=name).configure_cert(mutual)
            answers[name] = [httpx.get(f"{url}v1/info", verify=mutual).status_code for _ in range(3)]
        # Each has an allowance of its own, so each was told from the other.
        assert answers == {"door": [200, 200, 429], "hall": [200, 200, 429]}


def test_an_address_in_use_ends_the_start_with_its_code(page, capfd):
    port = page.rstrip("/").rpartition(":")[2]
    assert main(["serve", "--port", "0", "--web-port", port]) == ADDRESS_IN_USE
    assert f"cannot listen on 127.0.0.1:{port} for the live page" in capfd.readouterr().err
