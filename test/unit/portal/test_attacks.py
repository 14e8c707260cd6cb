"""What a hostile name, text or request does to every address of the page: nothing."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from portal_server import Portal, page_of

from adaptml import example_project
from portal import entering
from portal.app import ROOMS

EVIL = "<script>alert(1)</script>"
NAMES = [
    "..",
    "../spam",
    "../../../../etc/passwd",
    "/etc/passwd",
    "spam/../spam",
    "-spam",
    "--fault-tolerant",
    "spam\x00",
    "spam; rm -rf .",
    "$(id)",
    EVIL,
    "x" * 5000,
    "\u202espam",
]
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with example_project(tmp_path_factory.mktemp("attacked") / "project") as project:
        (project.settings.root / "secret.txt").write_text("root:x:0:0", encoding="utf-8")
        yield page_of(project)


@pytest.fixture(scope="module")
def client(portal: Portal) -> Iterator[TestClient]:
    with TestClient(
        portal.app, base_url=portal.url, follow_redirects=False, raise_server_exceptions=False
    ) as made:
        made.headers |= {"sec-fetch-site": "same-origin", "accept": "text/html"}
        made.cookies.set(*portal.cookie())
        yield made


def routes() -> list[APIRoute]:
    routers = [
        entering.router,
        *(import_module(f"portal.{room}.routes").router for room in ROOMS if room != "annotation"),
    ]
    found = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    assert len(found) > 50
    return found


def files(folder: Path) -> set[str]:
    """What lies in a project, but for what is made when it is first looked at."""
    made = ("workspace/portal", "workspace/mlflow.db")
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return {name for name in names if not name.startswith(made)}


def filled(path: str, name: str, chosen: str) -> str:
    """An address with the hostile name in one of its places, and what is there in the others."""
    usual = {"task": "spam", "table": "comments", "id": "h6", "run_id": "0" * 32, "job": "1", "path": "x"}
    return PARAMETER.sub(lambda m: quote(name if m[1] == chosen else usual.get(m[1], "1"), safe=""), path)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:20]))
def test_a_hostile_name_in_an_address_is_answered_with_one_line(
    portal: Portal, client: TestClient, name: str
) -> None:
    before = files(portal.project.settings.root)
    asked = 0
    for route in routes():
        for chosen in dict.fromkeys(match[1] for match in PARAMETER.finditer(route.path)):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                answer = client.request(method, filled(route.path, name, chosen))
                where = f"{method} {route.path}: {answer.status_code}"
                assert answer.status_code < 500 or answer.status_code == 503, f"{where} {answer.text[:500]}"
                assert EVIL not in answer.text, where
                assert "root:x:0:0" not in answer.text, where
                asked += 1
    assert asked > 20
    assert files(portal.project.settings.root) == before


def test_every_write_is_refused_from_another_site_and_without_a_session(
    portal: Portal, client: TestClient
) -> None:
    foreign = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    with TestClient(portal.app, base_url=portal.url) as stranger:
        stranger.headers["sec-fetch-site"] = "same-origin"
        for route in routes():
            if "POST" in (route.methods or ()):
                path = filled(route.path, "", "")
                if not path.startswith("/worker/"):
                    assert client.post(path, headers=foreign).status_code == 403, path
                    if path != "/enter":
                        assert stranger.post(path).status_code == 401, path


def test_nothing_is_read_without_a_session(portal: Portal) -> None:
    with TestClient(portal.app, base_url=portal.url, follow_redirects=False) as stranger:
        for route in routes():
            if "GET" in (route.methods or ()) and not route.path.startswith(
                ("/enter", "/health", "/worker/")
            ):
                answer = stranger.get(filled(route.path, "", ""))
                assert answer.status_code == 401, route.path
