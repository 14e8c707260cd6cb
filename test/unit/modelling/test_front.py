"""What a request meets before the service: prefixes, names, other pages' origins, and its own body."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi_offline import FastAPIOffline
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from adaptml.errors import SettingsError
from adaptml.settings import Settings
from modelling.app.api_errors import add_error_handlers
from modelling.app.body import FREE_BYTES, Bodies
from modelling.app.front import fronted

KEY = "k" * 32
JSON = {"Content-Type": "application/json"}
LARGE = "x" * 20_000


def service(bodies: Bodies | None = None) -> FastAPI:
    """An app with the paths of the service, which gives back the length of a body."""
    app: FastAPI = FastAPIOffline(redoc_url=None)
    add_error_handlers(app)
    app.get("/")(lambda: "models")
    app.get("/health")(lambda: "well")
    app.get("/large")(lambda: LARGE)
    reading = bodies or Bodies()

    @app.post("/predict_x")
    async def predict(request: Request) -> int:
        async with reading.read(request) as body:
            return len(body)

    return app


def ask(app: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
    async def request() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            return await client.request(method, path, **options)

    return asyncio.run(request())


def code(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error"}
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("root_path", ["/ml", "ml/", "/a/b"])
@pytest.mark.parametrize("key", ["", KEY])
def test_under_a_prefix_everything_is_found_with_it_and_without(root_path: str, key: str) -> None:
    app = fronted(service(), Settings(root_path=root_path), key)
    prefix = f"/{root_path.strip('/')}"
    with_key = {"X-API-Key": key}
    for path in ("/health", "/health/", f"{prefix}/health", f"{prefix}/health/"):
        assert ask(app, "GET", path).json() == "well", path
    for path in (prefix, f"{prefix}/", "/"):
        assert ask(app, "GET", path, headers=with_key).json() == "models", path
        assert ask(app, "GET", path).status_code == (401 if key else 200)
    page = ask(app, "GET", f"{prefix}/docs", headers=with_key).text
    assert f"{prefix}/openapi.json" in page
    assert f'src="{prefix}/static-offline-docs/swagger-ui-bundle.js"' in page
    for path in (f"{prefix}/openapi.json", f"{prefix}/static-offline-docs/swagger-ui.css"):
        assert ask(app, "GET", path, headers=with_key).status_code == 200
    described = ask(app, "GET", f"{prefix}/openapi.json", headers=with_key).json()
    assert described["servers"] == [{"url": prefix}]
    assert code(ask(app, "GET", f"{prefix}x/health", headers=with_key)) == (404, "unknown_path")


def test_a_server_s_own_prefix_is_known_too() -> None:
    """As `uvicorn --factory modelling.app.api_key:keyed_app --root-path /ml` gives it to the app."""
    app = fronted(service(), Settings(), KEY)

    async def behind_uvicorn(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "root_path": "/ml", "path": f"/ml{scope['path']}"}, receive, send)

    assert ask(behind_uvicorn, "GET", "/health").json() == "well"
    assert ask(behind_uvicorn, "GET", "/docs").status_code == 401
    assert "/ml/openapi.json" in ask(behind_uvicorn, "GET", "/docs", headers={"X-API-Key": KEY}).text


@given(st.text("/heltm.%", max_size=12))
def test_no_path_but_health_is_open(path: str) -> None:
    app = fronted(service(), Settings(root_path="/ml"), KEY)
    is_health = path.strip("/") in ("health", "ml/health")
    assert ask(app, "GET", f"http://localhost/{path}").status_code == (200 if is_health else 401)


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/openapi.json", "/large"])
def test_head_is_answered_where_get_is_without_a_body(path: str) -> None:
    app = fronted(service(), Settings())
    answer = ask(app, "HEAD", path)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-type"] == ask(app, "GET", path).headers["content-type"]
    assert ask(app, "HEAD", "/predict_x").status_code == 405


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("LOCALHOST", 200), ("127.0.0.1", 200), ("192.0.2.7:80", 200), ("[::1]:8000", 200),
     ("named.example", 200), ("listens", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421),
     ("localhost.evil.example:8000", 421), ("[evil]", 421)],
)  # fmt: skip
def test_the_service_answers_to_numbers_and_to_its_names(host: str, status: int) -> None:
    app = fronted(service(), Settings(hosts="other, Named.Example"), hosts=["listens"])
    answer = ask(app, "GET", "/health", headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert code(answer) == (421, "wrong_host")
        assert "add the name to ADAPTML_HOSTS" in answer.json()["error"]["message"]
    any_name = fronted(service(), Settings(hosts="*"))
    assert ask(any_name, "GET", "/health", headers={"Host": host}).status_code == 200


def test_another_page_s_origin_is_allowed_only_where_it_is_named() -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    off = fronted(service(), Settings(), KEY)
    assert "access-control-allow-origin" not in ask(off, "GET", "/health", headers=asked).headers
    on = fronted(service(), Settings(cors_origins="https://a.example, https://b.example"), KEY)
    before = ask(
        on, "OPTIONS", "/predict_x", headers={**asked, "Access-Control-Request-Headers": "x-api-key"}
    )
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == "https://a.example"
    other = ask(on, "GET", "/health", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_only_large_answers_are_packed_and_only_where_that_is_asked_for() -> None:
    app = fronted(service(), Settings())
    packed = ask(app, "GET", "/large", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == LARGE
    assert (
        "content-encoding" not in ask(app, "GET", "/large", headers={"Accept-Encoding": "identity"}).headers
    )
    assert "content-encoding" not in ask(app, "GET", "/health", headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize(
    "given",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"],
)
def test_what_is_not_said_to_be_json_is_refused_with_what_to_add(given: str) -> None:
    answer = ask(
        service(), "POST", "/predict_x", content=b"{}", headers={"Content-Type": given} if given else {}
    )
    assert code(answer) == (415, "wrong_content_type")
    assert answer.json()["error"]["message"] == (
        f"Content-Type is {given!r}; expected application/json: with curl, add -H 'Content-Type: application/json'"
    )


@pytest.mark.parametrize("given", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken(given: str) -> None:
    assert ask(service(), "POST", "/predict_x", content=b"{}", headers={"Content-Type": given}).json() == 2


def post(bodies: Bodies, content: bytes, packed: str = "") -> httpx.Response:
    headers = JSON | ({"Content-Encoding": packed} if packed else {})
    return ask(service(bodies), "POST", "/predict_x", content=content, headers=headers)


@given(st.binary(max_size=3_000))
def test_a_body_that_gzip_packed_is_unpacked(body: bytes) -> None:
    assert post(Bodies(), gzip.compress(body), "gzip").json() == len(body)


def test_a_body_that_unpacks_to_more_than_is_taken_is_refused() -> None:
    bodies = Bodies(max_bytes=100_000)
    assert post(bodies, gzip.compress(bytes(100_000)), "gzip").json() == 100_000
    bomb = gzip.compress(bytes(100_001))
    assert len(bomb) < 200
    assert code(post(bodies, bomb, "gzip")) == (413, "body_too_large")
    assert code(post(bodies, bytes(100_001))) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("content", "packed", "status", "word", "said"),
    [
        (b"{}", "gzip", 422, "invalid_request", "is not what gzip makes"),
        (gzip.compress(b"{}" * 99)[:-1], "gzip", 422, "invalid_request", "cut off, or more than one file"),
        (gzip.compress(b"{") + gzip.compress(b"}"), "gzip", 422, "invalid_request", "more than one file"),
        (b"{}", "br", 415, "wrong_content_type", "Content-Encoding is 'br'; expected gzip, or none"),
    ],
    ids=["none", "cut", "two", "br"],  # gzip's bytes hold the time
)
def test_what_cannot_be_unpacked_is_said_to_be_so(
    content: bytes, packed: str, status: int, word: str, said: str
) -> None:
    answer = post(Bodies(), content, packed)
    assert code(answer) == (status, word)
    assert said in answer.json()["error"]["message"]


def test_large_bodies_together_have_a_limit_beside_which_small_ones_find_room() -> None:
    """Room for one large body: while it comes in, a second is refused, and a small one taken."""
    app = service(Bodies(max_all_bytes=100_000))
    large = bytes(FREE_BYTES + 60_000)

    async def talk() -> list[Any]:
        came, goes_on = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield large
            came.set()  # whoever asks for more has taken what came
            await goes_on.wait()
            yield b"x"

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=JSON
        ) as client:
            first = asyncio.create_task(client.post("/predict_x", content=slowly()))
            await came.wait()
            second = await client.post("/predict_x", content=large)
            small = await client.post("/predict_x", content=b"{}")
            goes_on.set()
            return [second, small, await first, await client.post("/predict_x", content=large)]

    second, small, first, after = asyncio.run(talk())
    assert code(second) == (503, "too_busy")
    assert second.headers["Retry-After"] == "5"
    assert (small.json(), first.json(), after.json()) == (2, len(large) + 1, len(large))


@pytest.mark.parametrize("prefix", ["a b?", "/ml#x", "/ml//x", "http://host/ml", "/m\u00fc"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsError) as caught:
        fronted(service(), Settings(root_path=prefix))
    assert repr(prefix) in str(caught.value)
    assert "expected a path as /ml" in str(caught.value)
