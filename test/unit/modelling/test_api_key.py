import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from adaptml.errors import SettingsError
from adaptml.listening import is_loopback
from adaptml.project import Project
from adaptml.settings import Settings
from modelling.app.api_key import keyed_app
from modelling.app.front import KeyRequired
from modelling.serve import serve

KEY = "k" * 32


def ask(method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """One request to an app with two routes and the key in front of it."""
    app = FastAPI()
    app.get("/health")(lambda: "healthy")
    app.post("/predict_x")(lambda: "predicted")
    return asked(KeyRequired(app, KEY), method, path, headers)


def asked(app: ASGIApp, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """One request to an app, which is not started."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(request())


@pytest.mark.parametrize("headers", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}])
def test_a_request_with_the_key_is_answered(headers: dict[str, str]) -> None:
    assert ask("POST", "/predict_x", headers).json() == "predicted"


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": ""}, {"X-API-Key": KEY[1:]}, {"Authorization": "Bearer"}]
)
def test_a_request_without_the_key_is_refused_in_the_shape_of_all_errors(
    headers: dict[str, str],
) -> None:
    answer = ask("POST", "/predict_x", headers)
    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": "wrong_key",
        "message": "no key, or not this service's; send it as the header X-API-Key",
        "details": {},
    }


def test_documents_need_the_key_and_health_does_not() -> None:
    assert ask("GET", "/docs").status_code == 401
    assert ask("GET", "/health").json() == "healthy"


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("[::1]", True),
     ("0.0.0.0", False), ("192.168.1.5", False), ("::", False), ("", False), ("example.org", False)],
)  # fmt: skip
def test_which_addresses_stay_on_the_machine(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def test_beyond_the_machine_the_service_does_not_start_without_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("API_BIND", "0.0.0.0")
    key = tmp_path / "api_key"
    monkeypatch.setenv("API_KEY_FILE", str(key))
    with pytest.raises(SettingsError) as caught:
        keyed_app()
    assert str(caught.value) == (
        f"the service is published on 0.0.0.0, and {key} holds no key of 16 characters or more; "
        "write one, or set API_BIND=127.0.0.1"
    )
    key.write_text(KEY + "\n")
    assert asked(keyed_app(), "GET", "/openapi.json").status_code == 401
    monkeypatch.setenv("API_BIND", "127.0.0.1")
    assert asked(keyed_app(), "GET", "/openapi.json").status_code == 200


def test_beyond_the_machine_nothing_is_served_from_a_terminal_without_a_key(tmp_path: Path) -> None:
    project = Project(settings=Settings(root=tmp_path))
    with pytest.raises(SettingsError) as caught:
        serve(project, "0.0.0.0", 0)
    assert str(caught.value) == (
        f"the service is published on 0.0.0.0, and {tmp_path / 'secrets' / 'api_key'} holds no key of 16 "
        "characters or more; write one, or set ADAPTML_HOST=127.0.0.1"
    )
