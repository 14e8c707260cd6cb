"""Regular expressions that are searched in a time that grows with the text's length, and no faster.

Python's `re` tries one way after the other, and some expressions have a number of ways that doubles with each
letter: a rule that comes with a model could keep a service busy for years, and nothing can stop it. Here all
ways are followed at once (Thompson 1968, https://doi.org/10.1145/363347.363387), and what was found out is
kept (McNaughton and Yamada's states, as in RE2). `re` reads the expression and tells whether a letter is of a
class, so that both find the same; other engines take another view of what a word is.
"""

import re
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

MAX_NODES = 2_000  # of one expression; `[a-z]{50}` has 50
MAX_KEPT = 2_000  # transitions of one expression, then they are found anew
_sre: Any = import_module("re._parser")
_CLASSES = {
    _sre.CATEGORY_DIGIT: r"\d", _sre.CATEGORY_NOT_DIGIT: r"\D", _sre.CATEGORY_SPACE: r"\s",
    _sre.CATEGORY_NOT_SPACE: r"\S", _sre.CATEGORY_WORD: r"\w", _sre.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_OF_LETTERS = re.IGNORECASE | re.ASCII | re.DOTALL  # flags that say which letters are alike

Test = Callable[[str], Any]
# The letter before, the letter behind (empty at an end of the text), whether that is the text's last one.
Place = Callable[[str, str, bool], bool]


class NotLinearError(ValueError):
    """An expression that looks around or back, or is too large."""


class _Node(NamedTuple):
    """A step of the expression.

    Attributes:
        test: whether a letter fits; None where no letter is read.
        at: whether a place in the text fits, or None.
        then: numbers of the nodes that follow.
    """

    test: Test | None
    at: Place | None
    then: tuple[int, ...]


class _State:
    """All nodes that may be reached at a place of a text.

    Attributes:
        nodes: their numbers.
        before: a letter that stands for the one before.
        after: letter → the next state, None where the expression is found.
    """

    __slots__ = ("after", "before", "nodes")

    def __init__(self, nodes: frozenset[int], before: str) -> None:
        self.nodes, self.before = nodes, before
        self.after: dict[str, _State | None] = {}


class LinearSearch:
    """Says whether an expression is found in a text, as `re.search` does.

    Attributes:
        n_nodes: size of the expression: a search takes at most as many steps for each letter.

    >>> late = LinearSearch(r"\\b\\d+ hours? late\\b")
    >>> late.found("5 HOURS LATE"), late.found("5 hours later")
    (True, False)
    """

    def __init__(self, pattern: str, flags: int = re.IGNORECASE) -> None:
        """Read an expression.

        Args:
            pattern: of Python's `re`.
            flags: of `re.compile`.

        Raises:
            NotLinearError: it looks around (`(?=…)`) or back (`\\1`), is possessive, or has more than
                MAX_NODES steps.
            re.error: it is no regular expression.
        """
        self._nodes: list[_Node] = [_Node(None, None, ())]  # the first one is the end
        self._looks_at_places = False
        try:
            tree = _sre.parse(pattern, flags)
            self._first = self._sequence(tree, 0, tree.state.flags)
        except (RecursionError, OverflowError) as error:
            raise NotLinearError("the expression is nested too deeply") from error
        self.n_nodes = len(self._nodes)
        self._forget()

    def found(self, text: str) -> bool:
        """Whether the expression is anywhere in a text."""
        state = self._state(frozenset(), "")
        last = len(text) - 1
        for i, letter in enumerate(text):
            # A line's end that ends the text too is another letter: `$` holds before it.
            key = letter if i < last or letter != "\n" else "\n$"
            try:
                after = state.after[key]
            except KeyError:
                after = self._next(state, key, letter, i == last)
            if after is None:
                return True
            state = after
        if "" not in state.after:
            state.after[""] = None if 0 in self._reached(state, "", False)[0] else state
        return state.after[""] is None

    def _forget(self) -> None:
        self._states: dict[tuple[frozenset[int], str], _State] = {}
        self._n_kept = 0

    def _state(self, nodes: frozenset[int], before: str) -> _State:
        return self._states.setdefault((nodes, before), _State(nodes, before))

    def _next(self, state: _State, key: str, letter: str, is_last: bool) -> _State | None:
        """The state behind a letter, None where the expression ends before it."""
        reached, tests = self._reached(state, letter, is_last)
        after = None
        if 0 not in reached:
            fitting = frozenset(then for test, numbers in tests.items() if test(letter) for then in numbers)
            after = self._state(fitting, _like(letter) if self._looks_at_places else "")
        if self._n_kept >= MAX_KEPT:
            self._forget()
        self._n_kept += 1
        state.after[key] = after
        return after

    def _reached(self, state: _State, letter: str, is_last: bool) -> tuple[set[int], dict[Test, set[int]]]:
        """Nodes that are reached without reading a letter; and what follows each test of the next one."""
        waiting, reached = [self._first, *state.nodes], set[int]()
        tests: dict[Test, set[int]] = {}
        while waiting:
            number = waiting.pop()
            if number in reached:
                continue
            reached.add(number)
            node = self._nodes[number]
            if node.test is not None:
                tests.setdefault(node.test, set()).update(node.then)
            elif node.at is None or node.at(state.before, letter, is_last):
                waiting += node.then
        return reached, tests

    def _add(self, test: Test | None, at: Place | None, then: Iterable[int]) -> int:
        if len(self._nodes) >= MAX_NODES:
            raise NotLinearError(f"the expression has more than {MAX_NODES:,} steps")
        self._nodes.append(_Node(test, at, tuple(then)))
        return len(self._nodes) - 1

    def _sequence(self, parts: Any, then: int, flags: int) -> int:
        """The first node of a part of the expression, which leads to the node `then`."""
        for op, value in reversed(list(parts)):
            then = self._part(op, value, then, flags)
        return then

    def _part(self, op: Any, value: Any, then: int, flags: int) -> int:
        if op in (_sre.LITERAL, _sre.NOT_LITERAL, _sre.ANY, _sre.IN):
            return self._add(_test(_class_of(op, value), flags & _OF_LETTERS), None, [then])
        if op is _sre.AT:
            self._looks_at_places = True
            return self._add(None, _place(value, flags), [then])
        if op is _sre.BRANCH:
            return self._add(None, None, [self._sequence(one, then, flags) for one in value[1]])
        if op is _sre.SUBPATTERN:
            _, added, taken, parts = value
            return self._sequence(parts, then, (flags | added) & ~taken)
        if op in (_sre.MAX_REPEAT, _sre.MIN_REPEAT):
            least, most, body = value
            return self._repeat(least, most, body, then, flags)
        raise NotLinearError(f"the expression has a part that cannot be searched at once ({op})")

    def _repeat(self, least: int, most: Any, parts: Any, then: int, flags: int) -> int:
        behind = then
        if most is _sre.MAXREPEAT:
            then = self._add(None, None, [])
            self._nodes[then] = _Node(None, None, (self._sequence(parts, then, flags), behind))
        for number in range(least if most is _sre.MAXREPEAT else most):
            first = self._sequence(parts, then, flags)
            if first == then:  # nothing, however often
                break
            may_end = most is not _sre.MAXREPEAT and number < most - least
            then = self._add(None, None, [first, behind]) if may_end else first
        return then


@lru_cache(maxsize=10_000)  # of all models that were loaded
def _test(of_class: str, flags: int) -> Test:
    return re.compile(of_class, flags).fullmatch


def _class_of(op: Any, value: Any) -> str:
    """An expression of one letter, as `re` takes it."""
    if op is _sre.ANY:
        return "."
    if op is not _sre.IN:
        return f"[{'^' * (op is _sre.NOT_LITERAL)}{_escaped(value)}]"
    return f"[{''.join(_item(kind, what) for kind, what in value)}]"


def _item(kind: Any, what: Any) -> str:
    if kind is _sre.NEGATE:
        return "^"
    if kind is _sre.RANGE:
        return f"{_escaped(what[0])}-{_escaped(what[1])}"
    return _escaped(what) if kind is _sre.LITERAL else _CLASSES[what]


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


def _place(code: Any, flags: int) -> Place:
    """Where an expression without letters fits: at a word's edge, where a line or the text begins or ends."""
    if code in (_sre.AT_BOUNDARY, _sre.AT_NON_BOUNDARY):
        is_word = _test(r"\w", flags & re.ASCII)
        inside = code is _sre.AT_NON_BOUNDARY
        return lambda before, behind, _: (
            _in_no_text(inside)
            if not before + behind
            else (bool(before and is_word(before)) == bool(behind and is_word(behind))) is inside
        )
    lines = bool(flags & re.MULTILINE)
    if code is _sre.AT_BEGINNING_STRING or (code is _sre.AT_BEGINNING and not lines):
        return lambda before, *_: not before
    if code is _sre.AT_BEGINNING:
        return lambda before, *_: before in ("", "\n")
    if code is _sre.AT_END_STRING:
        return lambda _, behind, __: not behind
    if code is _sre.AT_END:
        return lambda _, behind, is_last: not behind or (behind == "\n" and (lines or is_last))
    raise NotLinearError(f"the expression has a part that cannot be searched at once ({code})")


def _in_no_text(inside: bool) -> bool:
    """Whether the empty text has a place like that; what `re` says of it changed in Python 3.14."""
    return inside and sys.version_info >= (3, 14)


def _like(letter: str) -> str:
    """A letter that no place tells from this one, so that few states are needed."""
    if letter == "\n":
        return letter
    if not (letter.isalnum() or letter == "_"):
        return " "
    return "a" if letter.isascii() else "é"
