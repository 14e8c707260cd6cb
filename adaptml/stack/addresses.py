"""Where people find what the stack offers, and how they log in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adaptml.stack.compose import DEFAULT_PORTS, Stack

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Published:
    """A service with an address on the host.

    Attributes:
        what: what a person finds there.
        bind: variable that names the host's address, or None where it is always this machine alone.
        port: variable that names the port.
        default_port: the port where the variable is not set.
        path: what comes after the port.
        login_file: file of the password or the key, in the folder of the secrets; empty without a login.
    """

    what: str
    bind: str | None
    port: str
    default_port: int
    path: str = "/"
    login_file: str = ""

    def bound(self, stack: Stack) -> str:
        """The host's address that it listens on."""
        return stack.get(self.bind, "127.0.0.1") if self.bind else "127.0.0.1"

    def bound_port(self, stack: Stack) -> int:
        """The host's port that it listens on."""
        return int(stack.get(self.port, str(self.default_port)))


PUBLISHED = {
    "portal": Published("the page", None, "PORTAL_PORT", 8050),
    "crate-db": Published("data", None, "CRATE_PORT", 4200, login_file="database_password"),
    "label-studio-web": Published(
        "Label Studio", "LABEL_STUDIO_BIND", "LABEL_STUDIO_PORT", 8080, login_file="label_studio_password"
    ),
    "dp-mlflow-server": Published("data programming runs", None, "DP_MLFLOW_PORT", 5000),
    "modelling-mlflow-server": Published("modelling runs", None, "MODELLING_MLFLOW_PORT", 5001),
    "modelling-mlflow-deploy": Published("predictions", "API_BIND", "API_PORT", 80, "/docs", "api_key"),
}


class Address(NamedTuple):
    """What a person finds where, and how to log in there: never a password, but the file that holds it."""

    what: str
    address: str
    login: str


def addresses(stack: Stack, services: Sequence[str]) -> list[Address]:
    """The addresses of those of the services that the host reaches."""
    found = []
    for service, place in PUBLISHED.items():
        if service in services:
            bind, port = place.bound(stack), place.bound_port(stack)
            host = "127.0.0.1" if bind in {"0.0.0.0", "::"} else bind  # noqa: S104 - compared, not bound
            shown = "" if port == DEFAULT_PORTS["http"] else f":{port}"
            found.append(Address(place.what, f"http://{host}{shown}{place.path}", _login(stack, service)))
    return found


def _login(stack: Stack, service: str) -> str:
    place = PUBLISHED[service]
    if service == "portal":
        return "`docker exec portal adaptml ui --invite NAME` prints a link"
    file = stack.secrets / place.login_file
    if service == "crate-db":
        return f"user adaptml, password in {file}"
    if service == "label-studio-web":
        return f"user {stack.get('LABEL_STUDIO_USERNAME', 'admin@example.com')}, password in {file}"
    if place.login_file and place.bound(stack) not in LOOPBACK:  # as modelling.app.api_key decides
        return f"header X-API-Key, key in {file}"
    return "no login"
