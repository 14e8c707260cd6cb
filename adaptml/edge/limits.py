"""What a server grants its clients, and how it says no."""

import resource
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from adaptml.settings import Settings

# Gives the answer for a status, a word for programs and a line for people, in the app's own shape.
Refuse = Callable[[int, str, str], Response]


@dataclass(frozen=True)
class Limits:
    """What a server grants its clients.

    Attributes:
        connections: requests that are taken at a time, and idle connections that are kept.
        spare: connections beyond these, so that a request beyond the limit can be told so, and a question
            after the server's health is answered.
        request_s: seconds that a request's head may take to come in, and its body beyond what its size needs.
        refuse: makes the answer to what is not taken.
    """

    connections: int
    spare: int
    request_s: float
    refuse: Refuse


def limits_of(settings: Settings, refuse: Refuse) -> Limits:
    """The settings' limits, and no more connections than half of the files that this process may open."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = settings.max_connections if files == resource.RLIM_INFINITY else files // 2
    connections = max(1, min(settings.max_connections, most))
    return Limits(connections, min(32, 1 + connections // 8), settings.request_seconds, refuse)
