"""Addresses of schedulers: encrypted, or on this machine."""

import ipaddress
from urllib.parse import urlsplit

from adaptml.errors import ScaleError

PORT = 8786  # Dask's own
_FORM = "tls://host:port (tcp:// on this machine only: tcp://127.0.0.1:8786)"


def checked_address(given: str) -> str:
    """An address as a scheduler can be reached by it, with its port.

    Whoever reaches a scheduler or a worker can run code there, so that beyond this machine both ends show a
    certificate.

    Args:
        given: `tls://host[:port]`, or `tcp://` with an address of the loopback interface.

    Raises:
        ScaleError: anything else.
    """
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if (
        not host
        or parts.scheme not in ("tls", "tcp")
        or parts.path.strip("/")
        or parts.query
        or parts.username
    ):
        raise ScaleError(f"no address of a scheduler: {given!r}; expected {_FORM}")
    if parts.scheme == "tcp" and not is_loopback(host):
        raise ScaleError(
            f"{given} is neither encrypted nor on this machine, and whoever reaches a scheduler can run code "
            f"on its workers; expected {_FORM}: `adaptml scale certificates` makes what TLS needs"
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{PORT if port is None else port}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as others cannot reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
