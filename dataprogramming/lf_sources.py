"""The text of a labelling function and of what it refers to, so that a difference can be shown."""

import functools
import inspect
import re
import types
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from textwrap import dedent

from snorkel.labeling import LabelingFunction
from snorkel.map import LambdaMapper

from adaptml.rules.core import Rule
from adaptml.tasks.class_sets import is_class_set, set_words
from adaptml.tasks.labels import Label
from dataprogramming.fingerprints.functions import references
from dataprogramming.fingerprints.walker import Walker
from dataprogramming.lf_json import is_data

MOST_CHARS = 20_000  # of one text
_ATOMS = (str, bytes, int, float, complex, bool, types.NoneType)


def source_of(lf: LabelingFunction) -> str | None:
    """A rule's own text: its code; of a rule that is data what it says; None without code."""
    if is_data(lf):
        return _rule_text(lf.rule)
    return _code_text(_plain_function(getattr(lf, "_f", None)))


def _rule_text(rule: Rule) -> str:
    """What a rule says, one thing a line; what is as always is left out."""
    said = rule.model_dump(mode="json", exclude=rule.UNSAID, exclude_defaults=True)
    if is_class_set(rule.label):
        said["label"] = set_words(rule.label)
    lines = []
    for name, value in said.items():
        lines += (
            [f"{name}:", *(f"  {item}" for item in value)]
            if isinstance(value, list)
            else [f"{name}: {value}"]
        )
    return "\n".join(lines) + "\n"


def place_of(lf: LabelingFunction, folder: Path | None) -> tuple[str, int] | None:
    """File and line of a rule's code; the file relative to the task's folder where it is in it."""
    function = None if is_data(lf) else _plain_function(getattr(lf, "_f", None))
    if not isinstance(function, types.FunctionType):
        return None
    path = Path(function.__code__.co_filename)
    inside = folder is not None and path.is_relative_to(folder)
    return str(path.relative_to(folder) if inside and folder else path), function.__code__.co_firstlineno


class Sources:
    """Texts of what a task's rules refer to; a text that several rules share is made once."""

    def __init__(self, folder: Path | None) -> None:
        """Of a task in a folder, or of none."""
        self._walker = Walker(folder)
        self._texts: dict[int, tuple[object, str | None]] = {}

    def uses(self, lf: LabelingFunction) -> dict[str, str]:
        """Text of what a rule refers to, directly or by way of a person's own functions.

        Args:
            lf: the labelling function.

        Returns:
            name, as the code says it → code of a function or class, or a plain value, one item a line; what
            is a library's, or no plain value, is left out.
        """
        if is_data(lf):
            return {}
        found: dict[str, str] = {}
        waiting = [("", getattr(lf, "_f", None)), *dict(getattr(lf, "_resources", {})).items()]
        waiting += [(str(step.name), step) for step in getattr(lf, "_pre", [])]
        met: set[int] = set()
        while waiting:
            name, value = waiting.pop(0)
            text = self._text(value) if name and name not in found else None
            if text is not None:
                found[name] = text
            if id(value) not in met:
                waiting += self._inner(value)
            met.add(id(value))
        return found

    def _text(self, value: object) -> str | None:
        """The text of a value, which is kept, so that no other object gets its id."""
        if id(value) not in self._texts:
            self._texts[id(value)] = (value, self._new_text(value))
        return self._texts[id(value)][1]

    def _new_text(self, value: object) -> str | None:
        code = _plain_function(value)
        if isinstance(code, types.FunctionType | type):
            return _code_text(code) if self._is_own(code) else None
        if isinstance(value, Label):
            return f"{value.name}\n"
        return _value_text(value) if isinstance(value, re.Pattern) or _is_plain(value) else None

    def _inner(self, value: object) -> Iterator[tuple[str, object]]:
        """Name and value of what a value of a person's own refers to in turn."""
        code = _plain_function(value)
        if isinstance(code, types.FunctionType | type):
            if self._is_own(code):
                parts = [code] if isinstance(code, types.FunctionType) else vars(code).values()
                functions = [part for part in parts if isinstance(part, types.FunctionType)]
                yield from chain.from_iterable(map(references, functions))
        elif self._is_own(type(value)):
            kind = type(value).__qualname__
            yield kind, type(value)
            yield from ((f"{kind}.{name}", part) for name, part in getattr(value, "__dict__", {}).items())

    def _is_own(self, code: types.FunctionType | type) -> bool:
        module = code.__module__ if isinstance(code, type) else code.__globals__.get("__name__")
        return self._walker.library(module) is None


def _plain_function(value: object) -> object:
    """The function inside of what wraps one; anything else as it is."""
    while True:
        if isinstance(value, LambdaMapper):
            value = value._f
        elif isinstance(value, types.MethodType):
            value = value.__func__
        elif isinstance(value, functools.partial):
            value = value.func
        elif isinstance(value, functools._lru_cache_wrapper):
            value = value.__wrapped__
        else:
            return value


def _is_plain(value: object) -> bool:
    """Whether a value is made of nothing but texts, numbers and containers of such."""
    if type(value) in _ATOMS:
        return True
    if isinstance(value, list | tuple | set | frozenset):
        return type(value) in (list, tuple, set, frozenset) and all(map(_is_plain, value))
    return type(value) is dict and all(_is_plain(part) for pair in value.items() for part in pair)


def _code_text(code: object) -> str | None:
    try:
        return dedent(inspect.getsource(code)) if isinstance(code, types.FunctionType | type) else None
    except (OSError, TypeError, SyntaxError):  # typed into a prompt, made by a call, or the file is gone
        return None


def _value_text(value: object) -> str:
    """A plain value; a container one item a line, a set in order."""
    if isinstance(value, dict):
        lines = [f"{key!r}: {part!r}" for key, part in value.items()]
    elif isinstance(value, list | tuple | set | frozenset):
        lines = [repr(part) for part in value]
    else:
        lines = []
    if isinstance(value, set | frozenset):
        lines.sort()
    text = "\n".join(lines or [repr(value)]) + "\n"
    more = len(text) - MOST_CHARS
    return text if more <= 0 else f"{text[:MOST_CHARS]}\n… and {more} characters more\n"
