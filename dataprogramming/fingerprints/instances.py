"""Objects: their class and their state. A library's state is what it gives to be pickled."""

import copyreg
import functools
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

from snorkel.map import BaseMapper, LambdaMapper

from adaptml.user_code import Raised, said
from dataprogramming.fingerprints.classes import named
from dataprogramming.fingerprints.errors import Uncertain
from dataprogramming.fingerprints.pieces import Pieces

if TYPE_CHECKING:
    from dataprogramming.fingerprints.walker import Walker

_POINTER = 8
# How an object that is one of these, too, gives its content without its own methods being asked.
_CONTENTS: dict[type, Any] = {
    dict: lambda value: list(dict.items(value)),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    set: lambda value: frozenset(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    float: float.__float__,
    int: int.__int__,
}
_HIDING = {"__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"}
# What the first walk through an object may fill without changing what it answers.
_FILLED_LATER = {"__pydantic_fields_set__"}


def put_instance(walker: "Walker", out: Pieces, value: Any) -> None:
    """Write an object by its class and its state.

    Raises:
        Uncertain: its state cannot be seen, or changes as it is used.
    """
    kind = type(value)
    if any("__next__" in vars(base) for base in kind.__mro__):
        raise Uncertain(f"is a {_full_name(kind)}, which changes as it is used")
    by_name = named(walker, value) if _has_name(kind) else None
    if by_name is not None:
        out.append(by_name)
        return
    if isinstance(value, Enum):
        out.append(b"member")
        walker.visit(out, kind, "its class")
        walker.visit(out, value._name_, "its name")
        return
    walker.visit(out, kind, "its class")
    if kind is object:
        walker.by_identity(out, value)
    elif isinstance(value, BaseMapper):
        _put_mapper(walker, out, value)
    elif named(walker, kind) is not None:
        _put_reduced(walker, out, value)
    else:
        _put_own(walker, out, value)


def _has_name(kind: type) -> bool:
    """Whether objects of a type have names of their own, as the functions of compiled modules do."""
    return any("__qualname__" in vars(base) for base in kind.__mro__ if base is not type)


def _put_mapper(walker: "Walker", out: Pieces, value: Any) -> None:
    """A Snorkel preprocessor: what it kept so far does not count, and its data point is a copy."""
    if isinstance(value, LambdaMapper):
        walker.may_write.add(id(value._f))
    state = {name: part for name, part in vars(value).items() if name not in ("_cache", "name")}
    walker.visit(out, state, f"the preprocessor `{value.name}`")


def put_state(walker: "Walker", out: Pieces, state: dict[str, object]) -> None:
    """Write attributes by their names."""
    out.append(f"state {len(state)}".encode())
    for name, part in state.items():
        out.append(name.encode())
        walker.visit(out, part, f"its attribute `{name}`")


def _put_own(walker: "Walker", out: Pieces, value: Any) -> None:
    """An object of a person's own class: its attributes, and its content where it is a container too."""
    kind = type(value)
    base = next((base for base in _CONTENTS if isinstance(value, base)), object)
    state = {name: part for name, part in _attributes(value) if not _is_derived(kind, name)}
    parts = [part for cls in kind.__mro__ for part in vars(cls).values()]
    slots = sum(isinstance(part, types.MemberDescriptorType) for part in parts)
    if kind.__basicsize__ > base.__basicsize__ + (2 + slots) * _POINTER:
        _check_nothing_hidden(walker, kind)
        _put_reduced(walker, out, value)
        return
    if base is not object:
        walker.visit(out, _CONTENTS[base](value), "its content")
    elif not state:
        walker.by_identity(out, value)
    put_state(walker, out, state)


def _attributes(value: Any) -> Iterator[tuple[str, object]]:
    """Name and value of each attribute that an object holds itself, with none of its methods asked."""
    with suppress(AttributeError):  # nothing but slots
        yield from object.__getattribute__(value, "__dict__").items()
    for cls in type(value).__mro__:
        for name, part in vars(cls).items():
            if isinstance(part, types.MemberDescriptorType) and name not in _FILLED_LATER:
                try:
                    yield name, part.__get__(value)
                except AttributeError:  # nothing in this slot
                    continue


def _is_derived(kind: type, name: str) -> bool:
    """Whether an attribute is what a cached property kept: its function counts already."""
    return any(isinstance(vars(cls).get(name), functools.cached_property) for cls in kind.__mro__)


def _check_nothing_hidden(walker: "Walker", kind: type) -> None:
    own = [cls for cls in kind.__mro__ if walker.library(cls.__module__) is None]
    if any(_HIDING & vars(cls).keys() for cls in own):
        raise Uncertain(f"is a {_full_name(kind)}, which says itself what a copy of it holds")


def _put_reduced(walker: "Walker", out: Pieces, value: Any) -> None:
    """An object of a library, as it gives itself to pickle: a person's own function inside it is found."""
    reduced = _reduced(value)
    if isinstance(reduced, str):
        module = str(pickle.whichmodule(value, reduced))  # type: ignore[attr-defined]  # not in its stubs
        if vars(sys.modules.get(module, types)).get(reduced) is not value or walker.library(module) is None:
            raise _not_comparable(value)
        out.append(f"named {module}.{reduced} of {walker.library(module)}".encode())
        return
    function, arguments, *rest = reduced
    state, items, pairs, setter = (*rest, None, None, None, None)[:4]
    out.append(b"made by")
    walker.visit(out, function, "what makes it")
    walker.items(out, "arguments", arguments)
    if type(state) is dict and all(type(name) is str for name in state):
        put_state(walker, out, state)
    else:
        walker.visit(out, state, "its state")
    walker.items(out, "items", items or ())
    walker.pairs(out, "pairs", pairs or ())
    walker.visit(out, setter, "what sets its state")


def _reduced(value: Any) -> Any:
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        return value.__reduce_ex__(4) if reduce is None else reduce(value)
    except Raised as error:  # code of any library: whatever it raises, the object cannot be compared
        raise _not_comparable(value, said(error)) from error


def _not_comparable(value: object, more: str = "") -> Uncertain:
    return Uncertain(
        f"is a {_full_name(type(value))}, which cannot be compared{f' ({more})' if more else ''}"
    )


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
