"""Rules that were filled into a form, as the Python that `lfs.py` is written in."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from adaptml.errors import LabellingError
from adaptml.frames import KEYS
from adaptml.rules.core import Example, Examples, KeywordRule, LikeRule, NumberRule, RegexRule, Rule
from adaptml.tasks.class_sets import AllBut, VoteFor, label_name
from adaptml.tasks.scaffold_lfs import quoted
from adaptml.validation import validation_problems

LINE_CHARS = 90  # of a call, before it is broken; it will be indented


@dataclass(frozen=True)
class RuleSource:
    """A rule as code.

    Attributes:
        rule: what it votes on, and for which class.
        code: the call that makes it.
        functions: what the call uses, of `adaptml` and of `dataprogramming.lfs`.
        files: name → text of files that it reads, beside `lfs.py`.
    """

    rule: Rule
    code: str
    functions: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


def keyword_source(
    name: str, words: Sequence[str], label: VoteFor, column: str, *, exact: bool = False
) -> RuleSource:
    """A `keyword_lf` of words and phrases; arguments as there.

    Raises:
        LabellingError: no word, or no name.

    >>> keyword_source("bad", ["worst", "😾"], "complaint", "text").code
    'keyword_lf("bad", ["worst", "😾"], "complaint", "text")'
    """
    rule, wanted = _keyword_rule(name, words, label, column, exact)
    listed = _list([_literal(word) for word in wanted])
    more = ["exact=True"] if exact else []
    arguments = [_literal(name), listed, _vote(label), _literal(column), *more]
    return RuleSource(rule, _call("keyword_lf", arguments), _functions(label, "keyword_lf"))


def lookup_source(name: str, words: Sequence[str], label: VoteFor, column: str, file: str) -> RuleSource:
    """A `keyword_lf` whose words lie in a file beside `lfs.py`, a line each.

    Raises:
        LabellingError: no word, no name, or a file that is no name of a text file.
    """
    rule, wanted = _keyword_rule(name, words, label, column, exact=False)
    _check_file(file, ".txt")
    broken = [word for word in wanted if len(word.splitlines()) > 1 or word.split()[0] == "#"]
    if broken:
        raise LabellingError(f"{broken[0]!r} cannot be a line of words; write it without # and line breaks")
    arguments = [_literal(name), f"lookup({_literal(file)})", _vote(label), _literal(column)]
    files = {file: "\n".join(wanted) + "\n"}
    return RuleSource(rule, _call("keyword_lf", arguments), _functions(label, "keyword_lf", "lookup"), files)


def regex_source(name: str, pattern: str, label: VoteFor, column: str) -> RuleSource:
    """A `regex_lf`; arguments as there.

    Raises:
        LabellingError: no regular expression, or no name.

    >>> print(regex_source("late", r"\\d+ hours", "complaint", "text").code)
    regex_lf("late", r"\\d+ hours", "complaint", "text")
    """
    if not pattern.strip():
        raise LabellingError("the regular expression is empty; write what the rule is to find")
    rule = _made(lambda: RegexRule(name=name, label=label_name(label), column=column, pattern=pattern), name)
    plain = '"' not in pattern and pattern.isprintable() and not pattern.endswith("\\")
    written = f'r"{pattern}"' if plain and "\\" in pattern else _literal(pattern)
    code = _call("regex_lf", [_literal(name), written, _vote(label), _literal(column)])
    return RuleSource(rule, code, _functions(label, "regex_lf"))


def number_source(
    name: str, label: VoteFor, column: str, above: float | None, below: float | None
) -> RuleSource:
    """A `number_lf`; arguments as there.

    Raises:
        LabellingError: no bound, bounds with nothing between them, or no name.

    >>> number_source("late", "complaint", "minutes", 15, None).code
    'number_lf("late", "complaint", "minutes", above=15)'
    """
    rule = _made(
        lambda: NumberRule(name=name, label=label_name(label), column=column, above=above, below=below), name
    )
    if not all(math.isfinite(bound) for bound in (above, below) if bound is not None):
        raise LabellingError("a bound is no finite number; write numbers such as 15 or 0.5")
    bounds = [
        f"{end}={_number(bound)}" for end, bound in (("above", above), ("below", below)) if bound is not None
    ]
    code = _call("number_lf", [_literal(name), _vote(label), _literal(column), *bounds])
    return RuleSource(rule, code, _functions(label, "number_lf"))


def like_source(
    name: str,
    like: Sequence[Example],
    unlike: Sequence[Example],
    label: VoteFor,
    column: str,
    above: float,
    file: str,
) -> RuleSource:
    """A `like_lf`, with its file of examples.

    Args:
        name, label, column, above: as there.
        like, unlike: examples and counterexamples.
        file: name of the file of examples, beside `lfs.py`.

    Raises:
        LabellingError: no example, no name, no name of a JSON file, or a cosine outside of [-1, 1].
    """
    _check_file(file, ".json")
    rule = _made(
        lambda: LikeRule(
            name=name,
            label=label_name(label),
            column=column,
            like=tuple(like),
            unlike=tuple(unlike),
            above=above,
        ),
        name,
    )
    arguments = [_literal(name), _literal(file), _vote(label), _literal(column), f"above={_number(above)}"]
    text = Examples(like=rule.like, unlike=rule.unlike).model_dump_json(indent=1) + "\n"
    return RuleSource(rule, _call("like_lf", arguments), _functions(label, "like_lf"), {file: text})


_R = TypeVar("_R", bound=Rule)


def _made(make: Callable[[], _R], name: str) -> _R:
    """A rule, or what is wrong with what was typed in one line."""
    if not name.strip() or name in KEYS or not name.isprintable():
        raise LabellingError(
            f"a rule cannot be named {name!r}; give it a short name of its own, such as spam_win"
        )
    try:
        return make()
    except ValidationError as error:
        raise LabellingError("; ".join(validation_problems(error))) from error


def _keyword_rule(
    name: str, words: Sequence[str], label: VoteFor, column: str, exact: bool
) -> tuple[KeywordRule, list[str]]:
    wanted = list(dict.fromkeys(word.strip() for word in words if word.strip()))
    if not wanted:
        raise LabellingError("the rule has no word to look for; write at least one")
    keywords = frozenset(wanted)
    rule = _made(
        lambda: KeywordRule(
            name=name, label=label_name(label), column=column, keywords=keywords, exact=exact
        ),
        name,
    )
    return rule, wanted


def _number(value: float) -> str:
    """A number as people write it."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _check_file(file: str, ending: str) -> None:
    stem = file.removesuffix(ending)
    if not file.endswith(ending) or not stem.replace("-", "_").isidentifier():
        raise LabellingError(
            f"{file!r} is no name for a file beside lfs.py; expected letters, digits, _ or -, and {ending}"
        )


def _literal(text: str) -> str:
    """A text as Python writes it."""
    return quoted(text) if text.isprintable() else repr(text)


def _vote(label: VoteFor) -> str:
    """What a rule votes for, as Python: a class, a set, or what rules some out."""
    if isinstance(label, AllBut):
        return f"not_({', '.join(map(_vote, label.all_but))})"
    if not isinstance(label, int | str):
        return f"{{{', '.join(map(_vote, label))}}}"
    return _literal(str(label))


def _functions(label: VoteFor, *names: str) -> tuple[str, ...]:
    return (*names, "not_") if isinstance(label, AllBut) else names


def _call(function: str, arguments: Sequence[str]) -> str:
    """A call, on one line where there is room."""
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= LINE_CHARS:
        return line
    return f"{function}(\n" + "".join("    " + a.replace("\n", "\n    ") + ",\n" for a in arguments) + ")"


def _list(items: Sequence[str]) -> str:
    """A list, on several lines where it is long; words are never broken."""
    line = f"[{', '.join(items)}]"
    if len(line) <= LINE_CHARS:
        return line
    rows: list[list[str]] = [[]]
    for item in items:
        if rows[-1] and sum(len(there) + 2 for there in rows[-1]) + len(item) > LINE_CHARS:
            rows.append([])
        rows[-1].append(item)
    return "[\n" + "".join(f"    {', '.join(row)},\n" for row in rows) + "]"
