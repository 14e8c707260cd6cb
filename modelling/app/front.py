"""What a request meets before the service: its path, the name that it asks for, other pages, the key."""

import ipaddress
import re
from collections.abc import Iterable

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptml.errors import SettingsError
from adaptml.listening import LOOPBACK_NAMES, host_name, names_in
from adaptml.settings import Settings
from modelling.app.api_errors import refusal
from modelling.app.key import NO_KEY, WRONG_KEY, carries_key

ANY = "*"
_PREFIX = re.compile(r"[\w.~-]+(/[\w.~-]+)*", re.ASCII)
OPEN_PATHS = frozenset({"/health"})  # says nothing of the data, and those who watch the service ask for it
SMALLEST_PACKED_BYTES = 10_000
WRONG_HOST = (
    "this service does not answer as {name!r}; ask it by its number or as localhost, or add the name to "
    "ADAPTML_HOSTS (in the Docker stack API_HOSTS) where the service runs"
)


class Front:
    """An ASGI app that makes every request one for the app behind it, or refuses it.

    A path is found with the prefix and without, with a slash at its end and without; HEAD is answered as GET
    is, with nothing but its headers.
    """

    def __init__(self, app: ASGIApp, prefix: str, hosts: Iterable[str]) -> None:
        """Stand in front of an app.

        Args:
            app: what answers.
            prefix: under which a proxy passes requests on, as `/ml`; empty: none.
            hosts: names that it is asked for by, in small letters. A number is always taken: a foreign page
                that reads what is here by pointing its own name at this machine has a name (DNS rebinding).
        """
        self._app, self._prefix, self._hosts = app, prefix, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if host and not self._is_known(host_name(host)):
            message = WRONG_HOST.format(name=host[:100])
            await refusal(421, "wrong_host", message)(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._app({**self._routed(scope), "method": "GET"}, receive, _without_body(send))
        else:
            await self._app(self._routed(scope), receive, send)

    def _is_known(self, name: str) -> bool:
        if name in self._hosts or ANY in self._hosts:
            return True
        try:
            return bool(ipaddress.ip_address(name.strip("[]")))
        except ValueError:
            return False

    def _routed(self, scope: Scope) -> Scope:
        """The request as routes know it: the prefix in front, no slash at the end."""
        prefix = scope.get("root_path", "") or self._prefix
        path = scope["path"]
        if path == prefix or path.startswith(f"{prefix}/"):
            path = path[len(prefix) :]
        return {**scope, "root_path": prefix, "path": f"{prefix}/{path.strip('/')}"}


class KeyRequired:
    """An ASGI app that lets requests through that carry the key, and answers others with 401.

    The key comes as the header `X-API-Key`, or as `Authorization: Bearer`.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        """Put the key in front of an app.

        Args:
            app: what is protected; `/health` stays open.
            key: what a request must carry, as it is.
        """
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if (
            scope["type"] != "http"
            or scope["path"].removeprefix(scope.get("root_path", "")) in OPEN_PATHS
            or carries_key(dict(scope["headers"]), self._key)
        ):
            await self._app(scope, receive, send)
        else:
            await refusal(401, WRONG_KEY, NO_KEY)(scope, receive, send)


def fronted(app: ASGIApp, settings: Settings, key: str = "", hosts: Iterable[str] = ()) -> ASGIApp:
    """Put in front of the service what its settings say.

    Args:
        app: the service.
        settings: the prefix, the names, the origins of other pages.
        key: what requests must carry; empty: none must.
        hosts: further names that it is asked for by.

    Raises:
        SettingsError: the prefix is none.
    """
    # Level 1: for an answer of 100,000 points the smaller size is worth its time even on this machine.
    # Its own list of what is packed already is read anew for each request; here only /docs has such a thing.
    app = GZipMiddleware(app, SMALLEST_PACKED_BYTES, compresslevel=1, exclude_content_types=("image/png",))
    if key:
        app = KeyRequired(app, key)
    origins = names_in(settings.cors_origins)
    if origins:
        headers = ["Content-Type", "Content-Encoding", "X-API-Key", "Authorization"]
        app = CORSMiddleware(app, origins, ["GET", "POST"], headers)
    known = {name.lower() for name in (*LOOPBACK_NAMES, *names_in(settings.hosts), *hosts)}
    prefix = settings.root_path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise SettingsError(
            f"the prefix {settings.root_path!r} cannot stand in an address; expected a path as /ml of "
            "letters, digits and . _ ~ -: correct --root-path or ADAPTML_ROOT_PATH"
        )
    return Front(app, f"/{prefix}" if prefix else "", known)


def _without_body(send: Send) -> Send:
    async def sending(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sending
