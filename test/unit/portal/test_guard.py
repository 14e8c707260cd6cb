"""What stands before every page."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from portal_server import Portal, page_of

from adaptml.listening import host_name
from adaptml.project import Project
from portal.guard import MAX_BODY_BYTES

FOREIGN = {"origin": "http://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}


@pytest.mark.parametrize(
    ("host", "name"),
    [("127.0.0.1:8050", "127.0.0.1"), ("LocalHost", "localhost"), ("[::1]:8050", "[::1]"), ("", "")],
)
def test_a_host_s_name_is_without_its_port(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:8050"]
)
def test_another_name_is_refused_before_anything_is_read(client: TestClient, host: str) -> None:
    answer = client.get("/enter", headers={"host": host})
    assert answer.status_code == 421
    assert "open it by the address that it printed" in answer.text


def test_a_name_that_was_allowed_is_answered(project: Project) -> None:
    portal = page_of(project, hosts=["Research.example"])
    with TestClient(portal.app, base_url="http://research.example") as client:
        assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://evil.example", "sec-fetch-site": ""},
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"},  # another program of this machine
    ],
)
def test_a_write_that_another_page_sends_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/leave", headers=headers)
    assert answer.status_code == 403
    assert client.get("/enter/again").json() == {"entered": True}


def test_a_write_without_a_browser_s_headers_is_refused(client: TestClient) -> None:
    del client.headers["sec-fetch-site"]
    assert client.post("/leave").status_code == 403


def test_a_write_of_an_own_page_is_taken(client: TestClient, portal: Portal) -> None:
    assert client.post("/leave", headers={"origin": portal.url}).status_code == 303


def test_another_page_cannot_embed_what_is_here(client: TestClient) -> None:
    assert client.get("/enter", headers=FOREIGN).status_code == 403
    said = client.get("/enter").headers
    assert said["x-frame-options"] == "DENY"
    assert said["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in said["content-security-policy"]
    assert "unsafe" not in said["content-security-policy"]
    assert said["cache-control"] == "no-store"


def test_nobody_sees_a_page_without_a_session(client: TestClient) -> None:
    client.cookies.clear()
    answer = client.get("/tasks/spam/rules?lf=song&page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/enter?next=%2Ftasks%2Fspam%2Frules%3Flf%3Dsong%26page%3D2"
    assert client.get("/jobs", headers={"hx-request": "true"}).headers["hx-redirect"] == "/enter"
    assert client.post("/jobs").status_code == 401
    assert client.get("/jobs", headers={"accept": "application/json"}).status_code == 401


@pytest.mark.parametrize("cookie", ["", "x" * 43, '"', "a=b; c", "\x00"])
def test_a_cookie_that_is_none_of_ours_lets_nobody_in(
    client: TestClient, portal: Portal, cookie: str
) -> None:
    client.cookies.clear()
    headers = {"cookie": f"{portal.access.cookie_name}={cookie}"}
    assert client.get("/enter/again", headers=headers).json() == {"entered": False}


def test_a_body_that_is_too_large_is_refused_said_or_not(client: TestClient) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    assert client.post("/enter", content=body).status_code == 413
    chunks = (body[start : start + 2**20] for start in range(0, len(body), 2**20))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/enter", content=chunks, headers=form).status_code == 413


def test_templates_hold_no_script_and_no_style_of_their_own() -> None:
    import portal

    forbidden = (
        "hx-on",
        "js:",
        "javascript:",
        " style=",
        " onclick",
        " onload",
        "|safe",
        "| safe",
        "<style",
        "hx-vals='js",
    )
    files = sorted(Path(portal.__file__).parent.rglob("*.html"))
    assert files
    found = {
        file.name: [word for word in forbidden if word in file.read_text(encoding="utf-8")] for file in files
    }
    assert {name: words for name, words in found.items() if words} == {}
