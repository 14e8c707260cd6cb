"""Invitations and sessions."""

import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from portal_server import Portal, page_of

from adaptml.errors import SettingsError
from adaptml.project import Project
from portal import access as module
from portal.access import Access
from portal.paths import database_path
from portal.start import invitation, ui


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(tmp_path / "home" / "portal.db")


def test_a_link_works_once_and_names_its_person(access: Access) -> None:
    token = access.invite("  Ana  Bo ")
    cookie = access.enter(token)
    assert cookie is not None
    assert access.who(cookie) == "Ana Bo"
    assert access.enter(token) is None
    access.leave(cookie)
    assert access.who(cookie) is None


def test_what_is_too_old_is_no_longer_valid(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = access.enter(access.invite("Ana"))
    assert cookie is not None
    monkeypatch.setattr(module, "INVITED_FOR", timedelta(seconds=-1))
    assert access.enter(access.invite("Bo")) is None
    monkeypatch.setattr(module, "LOGGED_IN_FOR", timedelta(seconds=-1))
    monkeypatch.setattr(module, "INVITED_FOR", timedelta(days=1))
    late = access.enter(access.invite("Cy"))
    assert late is not None
    assert access.who(late) is None
    assert access.who(cookie) == "Ana"


def test_the_file_holds_no_token_and_is_its_owner_s(access: Access) -> None:
    token = access.invite("Ana")
    cookie = access.enter(access.invite("Bo"))
    assert cookie is not None
    written = access.path.read_bytes()
    assert token.encode() not in written
    assert cookie.encode() not in written
    assert stat.S_IMODE(access.path.stat().st_mode) == 0o600
    with closing(sqlite3.connect(access.path)) as db:
        assert db.execute("SELECT name FROM sessions").fetchall() == [("Bo",)]


@pytest.mark.parametrize("name", ["", "   ", "a" * 61, "a\x1bb"])
def test_a_name_that_cannot_be_one_is_refused(access: Access, name: str) -> None:
    with pytest.raises(SettingsError, match="expected 1 to 60 printable characters"):
        access.invite(name)


def test_two_projects_have_two_cookies(tmp_path: Path) -> None:
    assert (
        Access(tmp_path / "a" / "portal.db").cookie_name != Access(tmp_path / "b" / "portal.db").cookie_name
    )


def test_a_token_is_exchanged_for_a_cookie_that_scripts_cannot_read(
    portal: Portal, client: TestClient
) -> None:
    client.cookies.clear()
    answer = client.post("/enter", data={"token": portal.access.invite("Ana")})
    assert answer.status_code == 200
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    assert client.get("/enter/again").json() == {"entered": True}
    assert (
        client.post("/enter", data={"token": "wrong"}).json()["said"].startswith("this link was used before")
    )


def test_where_others_reach_it_the_link_alone_lets_nobody_in(project: Project) -> None:
    portal = page_of(project, key="k" * 16)
    with TestClient(portal.app, base_url="http://127.0.0.1") as client:
        client.headers["sec-fetch-site"] = "same-origin"
        token = portal.access.invite("Ana")
        assert not client.post("/enter", data={"token": token, "key": "K" * 16}).json()["entered"]
        assert client.post("/enter", data={"token": token, "key": "k" * 16}).json()["entered"]


def test_beyond_this_machine_it_does_not_start_without_a_key(project: Project) -> None:
    with pytest.raises(
        SettingsError, match=r"write a key of 16 characters or more into .* ADAPTML_PORTAL_URL"
    ):
        ui(project, "0.0.0.0", 0, print)


def test_a_link_s_token_stands_where_no_server_sees_it(project: Project) -> None:
    address, mark, token = invitation(project, "Ana").partition("#")
    assert (address, mark) == ("http://127.0.0.1:8050/enter", "#")
    assert Access(database_path(project.settings.home)).enter(token)
