"""The key that a request carries, as the header `X-API-Key` or as `Authorization: Bearer`."""

import hmac
from collections.abc import Mapping
from pathlib import Path

from adaptml.errors import SettingsError
from adaptml.listening import is_loopback
from adaptml.masking import remember

MIN_KEY_CHARS = 16
WRONG_KEY = "wrong_key"
NO_KEY = "no key, or not this service's; send it as the header X-API-Key"
WRITING_IS_OFF = "writing_is_off"
DOES_NOT_WRITE = "this service does not write; leave write=true out, or set ADAPTML_SERVICE_WRITES for it"


def read_key(path: Path) -> str:
    """The key that a file holds; empty where there is no such file, or no key that is long enough."""
    key = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    remember(key)
    return key if len(key) >= MIN_KEY_CHARS else ""


def needed_key(path: Path, bind: str, instead: str) -> str:
    """The key without which nobody beyond this machine is answered; empty where only this machine can ask.

    Args:
        path: the file that holds it.
        bind: the address that the service can be reached on; empty: nobody knows.
        instead: what to set so that only this machine can ask.

    Raises:
        SettingsError: a key is needed, and there is none that is long enough.
    """
    if is_loopback(bind):
        return ""
    key = read_key(path)
    if not key:
        raise SettingsError(
            f"the service is published on {bind or 'an unknown address'}, and {path} holds no key of "
            f"{MIN_KEY_CHARS} characters or more; write one, or set {instead}"
        )
    return key


def carries_key(headers: Mapping[bytes, bytes], key: str) -> bool:
    """Whether a request's headers, with small letters in their names, hold the key."""
    bearer = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    return hmac.compare_digest(headers.get(b"x-api-key", bearer), key.encode())
