"""Secrets are cut out of everything that is printed: known ones, and what is a password in an address.

A secret is known to the whole process once somebody has said `remember`: settings do so for each password,
token and key in them. What holds an address that nobody remembered is recognised by its form.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
MIN_CHARS = 4  # a shorter one stands in too many words; as a part of an address it is cut out all the same
WHOLE_WORD_CHARS = 8  # a shorter one counts only where no letter or digit touches it
_NAMES = (
    r"(?:[\w.-]*(?:password|passwd|pwd|passphrase|token|secret|credentials?|signature"
    r"|api[_-]?key|access[_-]?key|private[_-]?key)|pass|sig|auth)"
)
_QUERY = re.compile(rf"([?&;]{_NAMES})=([^&\s'\"<>;#]*)", re.IGNORECASE)
_WORDS = re.compile(
    r"(?<![\w?&;])((?:ssl)?(?:password|passwd|pwd)\s*=\s*)('[^']*'|[^\s&;,'\")]+)", re.IGNORECASE
)
_HEADER = re.compile(r"\b(Basic|Bearer)\s+[\w.~+/=-]{8,}")
_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^\s'\"<>`]*)@")
_HOST = re.compile(r"/|\[|[^:@/]*:\d{1,5}[/?#]|[^:@]*/")  # what follows is a host or a path, no user
_HTTP = ("http://", "https://")
_BETWEEN = re.compile(r"[|;,\s](?=[A-Za-z][A-Za-z0-9+.-]*://)")  # addresses in a list
_RESERVED = re.compile(r"[@/?#:&]")
_VARIABLE = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|(?:SECRET|API|ACCESS|PRIVATE)_?KEY)$", re.IGNORECASE
)


class _Known(NamedTuple):
    secrets: frozenset[str]
    pattern: re.Pattern[str] | None


_known = _Known(frozenset(), None)


def remember(*secrets: str) -> None:
    """Have some secrets cut out of whatever this process prints from now on.

    Args:
        secrets: as they are; one of fewer than 4 characters is left out, and so is one without content.
    """
    global _known  # one process prints, whichever project it works for
    found = _known.secrets | {secret for secret in secrets if len(secret) >= MIN_CHARS and secret != MASK}
    if found != _known.secrets:
        forms = sorted({form for secret in found for form in _forms(secret)}, key=len, reverse=True)
        _known = _Known(found, re.compile("|".join(map(_whole, forms))))


def masked(text: str) -> str:
    """A text without secrets: each is `***`.

    >>> masked("postgresql://ada:p@ss@db/research?sslpassword=x does not answer")
    'postgresql://ada:***@db/research?sslpassword=*** does not answer'
    """
    return _by_form(text if _known.pattern is None else _known.pattern.sub(MASK, text))


def holds_secret(text: str) -> bool:
    """Whether a text, such as an address, holds what looks like a secret."""
    return _by_form(text) != text


def without_user(address: str) -> str:
    """An address that people can open: without the part before `@`, and without what its query hides.

    >>> without_user("https://ada:hunter2@mlflow.example.org/runs")
    'https://mlflow.example.org/runs'
    """
    return masked(_USER.sub(lambda found: found[0] if _HOST.match(found[2]) else found[1], address))


def secrets_of(text: str) -> set[str]:
    """The secrets in an address, or in several, as they stand there and decoded; none in what is no address.

    An unencoded `@` or `/` in a password makes libraries take a part of it for a host, a port or a name of a
    database, and say so: each part counts too.
    """
    found: set[str] = set()
    return found.union(*map(_secrets_of_one, _BETWEEN.split(text)))


def _secrets_of_one(text: str) -> set[str]:
    scheme, is_address, rest = text.partition("://")
    if not is_address:
        return set()
    base, _, query = rest.partition("?")
    found = {value for value in _hidden_values(query) if value}
    for user in {base.rpartition("@")[0], rest.rpartition("@")[0], rest[: _end(rest)].rpartition("@")[0]}:
        if not user or _HOST.match(user):
            continue
        name, colon, password = user.partition(":")
        if colon and password not in _shown(text, name):
            found |= {password, *_RESERVED.split(password), _basic(user), _basic(unquote(user))}
        elif not colon and f"{scheme}://".lower().endswith(_HTTP):
            found |= {name, _basic(f"{name}:")}
    return {form for secret in found for form in (secret, unquote(secret)) if form}


def secret_variables(environment: Iterable[tuple[str, str]]) -> set[str]:
    """The secrets in variables: the values of those named like one, and what addresses in others hold.

    Args:
        environment: (name, value) pairs.
    """
    found: set[str] = set()
    for name, value in environment:
        found |= {value} if _VARIABLE.search(name) else secrets_of(value)
    return found


def _by_form(text: str) -> str:
    """A text without what looks like a secret."""
    if "://" in text:
        text = _USER.sub(_without_password, text)
    if "=" in text:
        text = _WORDS.sub(rf"\1{MASK}", _QUERY.sub(rf"\1={MASK}", text))
    return _HEADER.sub(rf"\1 {MASK}", text)


def _without_password(found: re.Match[str]) -> str:
    scheme, user = found[1], found[2]
    if not user or _HOST.match(user):  # an address inside this one may have one
        return f"{scheme}{_USER.sub(_without_password, f'{user}@')}"
    name, colon, _ = user.partition(":")
    if colon:
        return f"{scheme}{name}:{MASK}@"
    # A token; the user of a database is no secret.
    return f"{scheme}{MASK}@" if scheme.lower().endswith(_HTTP) else found[0]


def _hidden_values(query: str) -> Iterator[str]:
    for found in _QUERY.finditer(f"?{query}"):
        yield found[2]


def _end(rest: str) -> int:
    """Where the part with user and host ends, as the standard has it."""
    found = re.search(r"[/?#]", rest)
    return found.start() if found else len(rest)


def _shown(address: str, name: str) -> set[str]:
    """What an address shows anyway: a password that is the same would be told by what is missing."""
    try:
        parts = urlsplit(address)
        return {name, parts.hostname or "", *parts.path.split("/")}
    except ValueError:
        return {name}


def _basic(user: str) -> str:
    """As a request's header has it."""
    return base64.b64encode(user.encode("utf-8", "backslashreplace")).decode()


def _forms(secret: str) -> set[str]:
    """A secret as it may stand in a text."""
    encoded = {quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
    return {secret, *encoded, repr(secret)[1:-1], json.dumps(secret)[1:-1], html.escape(secret)}


def _whole(form: str) -> str:
    pattern = re.escape(form)
    return pattern if len(form) >= WHOLE_WORD_CHARS else rf"(?<![^\W_]){pattern}(?![^\W_])"
