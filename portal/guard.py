"""What stands before every page: which hosts, which origins, who, how large, and what a browser may load."""

import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptml.listening import LOOPBACK_NAMES, host_name
from portal.access import Access

OPEN_PATHS = ("/enter", "/static/", "/health")
WORKER_PATHS = "/worker/"  # for programs: each request carries a token, and no cookie counts
READING = frozenset({"GET", "HEAD"})
MAX_BODY_BYTES = 8 * 2**20
TOO_LARGE = f"the request is larger than {MAX_BODY_BYTES:,} bytes"
UPLOADS = "/import"  # streams to disk, with a limit of its own
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none at all, a form of our own would say that its origin is null
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class TooLargeError(Exception):
    """A body that goes on beyond the limit."""


@dataclass(frozen=True)
class Guard:
    """An ASGI app in front of the page's.

    A request's person is in `scope["state"]["person"]`, the nonce of its styles in `scope["state"]["nonce"]`.

    Attributes:
        app: the page.
        access: who may come in.
        hosts: names, with brackets around IPv6, under which the page is asked for. Any other name would let a
            foreign page that points its own name at this machine read what is here (DNS rebinding).
    """

    app: ASGIApp
    access: Access
    hosts: frozenset[str] = LOOPBACK_NAMES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        person = self._person(scope)
        scope.setdefault("state", {}).update(person=person, nonce=nonce)
        sending = _with_headers(send, nonce, kept=scope["path"].startswith("/static/"))
        refusal = self._refusal(scope, person)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        limit = None if scope["path"].startswith((UPLOADS, WORKER_PATHS)) else MAX_BODY_BYTES
        try:
            await self.app(scope, receive if limit is None else _limited(receive, limit), sending)
        except TooLargeError:
            await refused(413, TOO_LARGE)(scope, receive, sending)

    def _person(self, scope: Scope) -> str | None:
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(Headers(scope=scope).get("cookie", ""))
        except CookieError:
            return None
        mine = cookies.get(self.access.cookie_name)
        return None if mine is None else self.access.who(mine.value)

    def _refusal(self, scope: Scope, person: str | None) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "")
        if path.startswith(WORKER_PATHS):
            return None
        if host_name(host) not in self.hosts:
            return refused(421, "this page has another name; open it by the address that it printed")
        if scope["method"] not in READING and not _is_own(headers, host):
            return refused(403, "another page sent this; do it from a page of this address")
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return refused(403, "another page asked for this")
        if int(headers.get("content-length") or 0) > MAX_BODY_BYTES and not path.startswith(UPLOADS):
            return refused(413, TOO_LARGE)
        if person is None and not path.startswith(OPEN_PATHS):
            return _unknown(scope, headers)
        return None


def _is_own(headers: Headers, host: str) -> bool:
    """Whether a page of this address sent the request: browsers say so, and pages cannot make them lie."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return urlsplit(origin).netloc == host
    return site is not None


def _unknown(scope: Scope, headers: Headers) -> Response:
    asked = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
    enter = f"/enter?next={quote(asked, safe='')}"
    if headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/enter"})
    if scope["method"] in READING and "text/html" in headers.get("accept", ""):
        return RedirectResponse(enter, 303)
    return refused(401, "nobody is logged in; open the link that `adaptml ui` printed")


def refused(status: int, why: str) -> Response:
    """An answer of one line."""
    return PlainTextResponse(f"{why}\n", status)


def _limited(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise TooLargeError
        return message

    return receiving


def _with_headers(send: Send, nonce: str, *, kept: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("content-security-policy", POLICY.format(nonce=nonce))
            headers.setdefault("cache-control", "private, max-age=3600" if kept else "no-store")
        await send(message)

    return sending
