"""The walk over everything that a labelling function can reach, which ends in one digest.

A value without cycles has a digest of its own, made of those of its parts, and is walked once however many
labelling functions share it. What takes part in a cycle is written out where it is met first, with a number,
and stands as that number from then on; so one function's digest never depends on which were walked before it.
"""

import functools
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dataprogramming.fingerprints import classes, functions, instances
from dataprogramming.fingerprints.errors import Uncertain
from dataprogramming.fingerprints.libraries import library
from dataprogramming.fingerprints.pieces import Mark, Pieces, atom, digest


class Walker:
    """Walks values and keeps the digests of those that it has seen, for as long as none of them changes.

    Attributes:
        may_write: ids of functions that are given an object of their own to write into, as `__init__` is.
    """

    def __init__(self, folder: Path | None) -> None:
        """A walker for one task's labelling functions.

        Args:
            folder: the task's folder, whose modules count by their code.
        """
        self.may_write: set[int] = set()
        self._own_names = _module_names(folder)
        self._digests: dict[int, bytes] = {}  # of what has no cycle
        self._failed: dict[int, Uncertain] = {}
        self._met: set[int] = set()  # open, or part of a cycle, since the root
        self._sets: list[int] = []  # open sets
        self._kept: list[object] = []  # an id belongs to another object once its own is gone

    def root(self, put: Callable[[Pieces], None]) -> bytes:
        """The digest of what `put` writes, as if nothing had been met before."""
        met, self._met = self._met, set()
        pieces: Pieces = []
        try:
            put(pieces)
        finally:
            self._met = met
        return digest(_numbered(pieces))

    def visit(self, out: Pieces, value: object, place: str) -> None:
        """Write a value.

        Args:
            out: takes the pieces.
            value: whatever a labelling function refers to.
            place: what it is to the one that holds it, for messages.

        Raises:
            Uncertain: it, or something that it holds, cannot be vouched for.
        """
        simple = atom(value)
        if simple is not None:
            out.append(simple)
            return
        key = id(value)
        if key in self._digests:
            out.append(self._digests[key])
        elif key in self._failed:
            raise self._failed[key].under(place)
        elif key in self._met:
            out.append(Mark("again", key))
        else:
            self._first(out, value, place)

    def meet(self, out: Pieces, value: object) -> None:
        """Note that a value is written next, so that what leads back to it stands for it."""
        self._open(value)
        out.append(Mark("first", id(value)))

    def _open(self, value: object) -> None:
        self._met.add(id(value))
        self._kept.append(value)

    def _first(self, out: Pieces, value: object, place: str) -> None:
        key = id(value)
        self._open(value)
        mine: Pieces = []
        try:
            self._put(mine, value)
        except Uncertain as error:
            self._failed[key] = error
            raise error.under(place) from error
        if any(isinstance(piece, Mark) for piece in mine):
            out.append(Mark("first", key))
            out.extend(mine)
        else:
            self._digests[key] = digest(_numbered(mine))
            self._met.discard(key)
            out.append(self._digests[key])

    def _put(self, out: Pieces, value: Any) -> None:
        kind = type(value)
        put = _BY_TYPE.get(kind)
        if put is not None:
            put(self, out, value)
        elif issubclass(kind, type):
            classes.put_class(self, out, value)
        else:
            instances.put_instance(self, out, value)

    def library(self, module: object) -> str | None:
        """The library, with its version, that a module of this name belongs to; None for a person's own."""
        if not isinstance(module, str) or module.partition(".")[0] in self._own_names:
            return None
        return library(module)

    def is_own_name(self, module: str) -> bool:
        """Whether a module of this name would be the task's own."""
        return module.partition(".")[0] in self._own_names

    def items(self, out: Pieces, tag: str, values: Iterable[object]) -> None:
        """Write values in their order."""
        found: Pieces = []
        count = 0
        for count, value in enumerate(values, 1):
            simple = atom(value)
            if simple is not None:
                found.append(simple)
            else:
                self.visit(found, value, f"item {count - 1}")
        out.append(f"{tag} {count}".encode())
        out.extend(found)

    def pairs(self, out: Pieces, tag: str, values: Iterable[tuple[object, object]]) -> None:
        """Write keys and values in their order: a rule that goes through a dictionary may depend on it."""
        found: Pieces = []
        count = 0
        for count, (key, value) in enumerate(values, 1):
            self.visit(found, key, "a key")
            simple = atom(value)
            if simple is not None:
                found.append(simple)
            else:
                self.visit(found, value, f"[{key!r}]" if type(key) in (str, int) else f"value {count - 1}")
        out.append(f"{tag} {count}".encode())
        out.extend(found)

    def unordered(self, out: Pieces, tag: str, values: Iterable[object], owner: object) -> None:
        """Write the items of a set in the order of their digests: their own changes with the process."""
        if id(owner) in self._sets:
            raise Uncertain("is a set whose items lead back to it, which cannot be compared")
        self._sets.append(id(owner))
        try:
            digests = [atom(value) or self._alone(value) for value in values]
        finally:
            self._sets.pop()
        out.append(f"{tag} {len(digests)}".encode())
        out.extend(sorted(digests))

    def _alone(self, value: object) -> bytes:
        return self.root(lambda out: self.visit(out, value, "an item"))

    def by_identity(self, out: Pieces, value: object) -> None:
        """Write an object that nothing but being itself tells from others, such as `MISSING = object()`."""
        if self._sets:
            raise Uncertain(
                f"is a {type(value).__qualname__} without state in a set, which cannot be compared"
            )
        out.append(Mark("again", id(value)))


def _numbered(pieces: Pieces) -> Iterator[bytes]:
    """The pieces as bytes; what was met again is numbered in the order of first meetings."""
    numbers: dict[int, int] = {}
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        elif piece.what == "first":
            numbers[piece.key] = len(numbers)
            yield b"first"
        else:
            yield f"again {numbers.get(piece.key, -1)}".encode()  # -1 within its own pieces


def _module_names(folder: Path | None) -> set[str]:
    """Names under which a task's folder offers modules; those of the standard library cannot be hidden."""
    if folder is None:
        return set()
    found = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/*.py")}
    return found - sys.stdlib_module_names


def _put_dict(walker: Walker, out: Pieces, value: Mapping[object, object]) -> None:
    walker.pairs(out, "dict", value.items())


def _put_list(walker: Walker, out: Pieces, value: list[object]) -> None:
    walker.items(out, "list", value)


def _put_tuple(walker: Walker, out: Pieces, value: tuple[object, ...]) -> None:
    walker.items(out, "tuple", value)


def _put_set(walker: Walker, out: Pieces, value: Set[object]) -> None:
    walker.unordered(out, type(value).__name__, value, value)


def _put_pattern(_walker: Walker, out: Pieces, value: re.Pattern[Any]) -> None:
    out += [b"pattern", atom(value.pattern) or b"", str(value.flags).encode()]


def _put_array(walker: Walker, out: Pieces, value: npt.NDArray[Any]) -> None:
    out += [b"array", repr(value.dtype).encode(), repr(value.shape).encode()]
    if value.dtype.hasobject:
        walker.items(out, "objects", value.ravel().tolist())
    else:
        out.append(value.tobytes())


def _put_partial(walker: Walker, out: Pieces, value: "functools.partial[Any]") -> None:
    out.append(b"partial")
    walker.visit(out, value.func, "the function of a partial")
    walker.visit(out, value.args, "the arguments of a partial")
    walker.visit(out, value.keywords, "the arguments of a partial")


def _put_cached(walker: Walker, out: Pieces, value: Any) -> None:
    """What was kept so far does not count."""
    out.append(b"lru_cache")
    walker.visit(out, value.__wrapped__, "the function under lru_cache")
    walker.visit(out, value.cache_parameters(), "the parameters of lru_cache")


_BY_TYPE: dict[type, Callable[[Walker, Pieces, Any], None]] = {
    dict: _put_dict,
    types.MappingProxyType: _put_dict,
    list: _put_list,
    tuple: _put_tuple,
    set: _put_set,
    frozenset: _put_set,
    re.Pattern: _put_pattern,
    np.ndarray: _put_array,
    functools.partial: _put_partial,
    type(functools.lru_cache(len)): _put_cached,
    types.FunctionType: functions.put_function,
    types.MethodType: functions.put_method,
    types.BuiltinFunctionType: functions.put_builtin,
    types.ModuleType: functions.put_module,
    property: classes.put_property,
    staticmethod: classes.put_wrapped,
    classmethod: classes.put_wrapped,
    functools.cached_property: classes.put_cached_property,
}
