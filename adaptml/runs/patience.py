"""A tracking server that is away while results are recorded: they are worth some minutes of waiting."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from requests import exceptions

from adaptml.runs.opening import store_errors

PATIENCE_S = 300.0
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)  # the last one again and again
_AWAY = (exceptions.ConnectionError, exceptions.Timeout, exceptions.RetryError)
_log = logging.getLogger(__name__)
T = TypeVar("T")


def patiently(call: Callable[[], T], where: str, patience_s: float = PATIENCE_S) -> T:
    """What a call to a tracking server gives, asked again while the server is away.

    Args:
        call: what may be asked twice: an answer may have been lost on its way.
        where: the server's address, for the line that says what is waited for.
        patience_s: for how long, in seconds.

    Raises:
        MlflowException, OSError: it is still away, or refuses.
    """
    until, told, pauses = time.monotonic() + patience_s, False, iter(PAUSES_S)
    while True:
        try:
            return call()
        except store_errors() as error:
            pause = next(pauses, PAUSES_S[-1])
            if not _is_away(error) or time.monotonic() + pause > until:
                raise
        if not told:
            _log.warning("MLflow at %s is away; waiting for it, up to %.0f s", where, patience_s)
            told = True
        time.sleep(pause)


def _is_away(error: BaseException) -> bool:
    """Whether nobody answered, or a proxy in the server's place; a wrong certificate does not mend itself."""
    found = list(_causes(error))
    if any(isinstance(one, exceptions.SSLError) for one in found) or "500 error" in str(error):
        return False
    return any(isinstance(one, _AWAY) for one in found)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
