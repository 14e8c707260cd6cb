"""Rules that were filled into a form, as the Python that `lfs.py` is written in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from adaptml.errors import LabellingError
from adaptml.frames import KEYS
from adaptml.rules.core import KeywordRule, NumberRule, RegexRule
from adaptml.tasks.scaffold_lfs import quoted
from adaptml.validation import validation_problems

LINE_CHARS = 90  # of a call, before it is broken; it will be indented


@dataclass(frozen=True)
class RuleSource:
    """A rule as code.

    Attributes:
        name: of the labelling function.
        code: the call that makes it.
        functions: what the call uses, of `adaptml` and of `dataprogramming.lfs`.
        files: name → text of files that it reads, beside `lfs.py`.
    """

    name: str
    code: str
    functions: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


def keyword_source(name: str, words: Sequence[str], label: str, column: str, exact: bool) -> RuleSource:
    """A `keyword_lf` of words and phrases; arguments as there.

    Raises:
        LabellingError: no word, or no name.

    >>> keyword_source("bad", ["worst", "😾"], "complaint", "text", exact=False).code
    'keyword_lf("bad", ["worst", "😾"], "complaint", "text")'
    """
    wanted = _words(name, words, label, column)
    listed = _list([_literal(word) for word in wanted])
    more = ["exact=True"] if exact else []
    code = _call("keyword_lf", [_literal(name), listed, _literal(label), _literal(column), *more])
    return RuleSource(name, code, ("keyword_lf",))


def lookup_source(name: str, words: Sequence[str], label: str, column: str, file: str) -> RuleSource:
    """A `keyword_lf` whose words lie in a file beside `lfs.py`, a line each.

    Raises:
        LabellingError: no word, no name, or a file that is no name of a text file.
    """
    wanted = _words(name, words, label, column)
    _check_file(file, ".txt")
    broken = [word for word in wanted if len(word.splitlines()) > 1 or word.split()[0] == "#"]
    if broken:
        raise LabellingError(f"{broken[0]!r} cannot be a line of words; write it without # and line breaks")
    arguments = [_literal(name), f"lookup({_literal(file)})", _literal(label), _literal(column)]
    files = {file: "\n".join(wanted) + "\n"}
    return RuleSource(name, _call("keyword_lf", arguments), ("keyword_lf", "lookup"), files)


def regex_source(name: str, pattern: str, label: str, column: str) -> RuleSource:
    """A `regex_lf`; arguments as there.

    Raises:
        LabellingError: no regular expression, or no name.

    >>> print(regex_source("late", r"\\d+ hours", "complaint", "text").code)
    regex_lf("late", r"\\d+ hours", "complaint", "text")
    """
    _check_name(name)
    try:
        RegexRule(name=name, label=label, column=column, pattern=pattern)
    except ValidationError as error:
        raise _wrong(error) from error
    if not pattern.strip():
        raise LabellingError("the regular expression is empty; write what the rule is to find")
    plain = '"' not in pattern and pattern.isprintable() and not pattern.endswith("\\")
    written = f'r"{pattern}"' if plain and "\\" in pattern else _literal(pattern)
    code = _call("regex_lf", [_literal(name), written, _literal(label), _literal(column)])
    return RuleSource(name, code, ("regex_lf",))


def number_source(name: str, label: str, column: str, above: float | None, below: float | None) -> RuleSource:
    """A `number_lf`; arguments as there.

    Raises:
        LabellingError: no bound, bounds with nothing between them, or no name.

    >>> number_source("late", "complaint", "minutes", 15, None).code
    'number_lf("late", "complaint", "minutes", above=15)'
    """
    _check_name(name)
    try:
        NumberRule(name=name, label=label, column=column, above=above, below=below)
    except ValidationError as error:
        raise _wrong(error) from error
    bounds = [f"{end}={bound:g}" for end, bound in (("above", above), ("below", below)) if bound is not None]
    code = _call("number_lf", [_literal(name), _literal(label), _literal(column), *bounds])
    return RuleSource(name, code, ("number_lf",))


def like_source(name: str, file: str, examples: str, label: str, column: str, above: float) -> RuleSource:
    """A `like_lf`; arguments as there.

    Args:
        file: name of the file of examples, beside `lfs.py`.
        examples: its text, as `write_examples` writes it.

    Raises:
        LabellingError: no name, no name of a JSON file, or a cosine outside of [-1, 1].
    """
    _check_name(name)
    _check_file(file, ".json")
    if not -1 <= above <= 1:
        raise LabellingError(f"a likeness of {above:g} was given; expected a cosine from -1 to 1")
    arguments = [_literal(name), _literal(file), _literal(label), _literal(column), f"above={above:g}"]
    return RuleSource(name, _call("like_lf", arguments), ("like_lf",), {file: examples})


def _words(name: str, words: Sequence[str], label: str, column: str) -> list[str]:
    _check_name(name)
    wanted = list(dict.fromkeys(word.strip() for word in words if word.strip()))
    try:
        KeywordRule(name=name, label=label, column=column, keywords=frozenset(wanted))
    except ValidationError as error:
        raise LabellingError("the rule has no word to look for; write at least one") from error
    return wanted


def _check_name(name: str) -> None:
    if not name.strip() or name in KEYS or not name.isprintable():
        raise LabellingError(
            f"a rule cannot be named {name!r}; give it a short name of its own, such as spam_win"
        )


def _check_file(file: str, ending: str) -> None:
    stem = file.removesuffix(ending)
    if not file.endswith(ending) or not stem.replace("-", "_").isidentifier():
        raise LabellingError(
            f"{file!r} is no name for a file beside lfs.py; expected letters, digits, _ or -, and {ending}"
        )


def _wrong(error: ValidationError) -> LabellingError:
    return LabellingError("; ".join(validation_problems(error)))


def _literal(text: str) -> str:
    """A text as Python writes it."""
    return quoted(text) if text.isprintable() else repr(text)


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
