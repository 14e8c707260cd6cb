"""Putting a rule into the text of `lfs.py`: into the list that `get_lfs` returns.

Python's parser says where the list is, and the text is cut there; every other character stays as it was
written.
"""

import ast
import io
import token as kinds
import tokenize
from collections.abc import Sequence
from typing import NamedTuple

from adaptml.errors import LabellingError
from adaptml.rules.source import RuleSource

_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, kinds.INDENT, kinds.DEDENT}
_INDENT = "    "
_LINE_CHARS = 110


class _Place(NamedTuple):
    """A place in a text: from 1, and characters from 0."""

    line: int
    column: int


class _Cut(NamedTuple):
    """New text in place of a part of the old one."""

    start: int
    end: int
    new: str


def with_rule(text: str, rule: RuleSource) -> str:
    """The text of an `lfs.py` with one more rule, the last one that `get_lfs` returns.

    Args:
        text: of the file.
        rule: what is added; what it needs is imported.

    Raises:
        LabellingError: the text is no Python, or `get_lfs` does not end with a `return` of its rules.

    >>> from adaptml.rules.source import number_source
    >>> text = "from adaptml import number_lf\\n\\ndef get_lfs(params):\\n    return [first]  # all\\n"
    >>> print(with_rule(text, number_source("late", "bad", "minutes", 15, None)).splitlines()[-1])
        return [first, number_lf("late", "bad", "minutes", above=15)]  # all
    """
    if "\r\n" in text and text.count("\r\n") == text.count("\n"):  # as Windows ends lines
        return with_rule(text.replace("\r\n", "\n"), rule).replace("\n", "\r\n")
    lines = _Lines(text)
    tree = _parsed(text)
    returned = _returned(tree, rule)
    code, imports = _named(rule, tree, lines)
    cuts = sorted([*imports, *_into(returned, code, lines)], reverse=True)
    for cut in cuts:
        text = text[: cut.start] + cut.new + text[cut.end :]
    _parsed(text)
    return text


class _Lines:
    """A text's lines as the parser counts them: places of it are UTF-8 bytes, those of tokens characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = io.StringIO(text, newline="").readlines()
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        self._starts = starts

    def at(self, place: _Place) -> int:
        """Where a place is in the text."""
        return self._starts[place.line - 1] + place.column

    def start(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Where a node begins."""
        return self._of_bytes(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Where a node ends."""
        return self._of_bytes(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def line_end(self, line: int) -> int:
        """Where a line's own text ends, before its line break."""
        return self._starts[line - 1] + len(self.lines[line - 1].rstrip("\r\n"))

    def indent(self, line: int) -> str:
        """The blanks that a line begins with."""
        written = self.lines[line - 1]
        return written[: len(written) - len(written.lstrip(" \t"))]

    def tokens(self) -> list[tokenize.TokenInfo]:
        """All tokens, without comments and line breaks."""
        found = tokenize.generate_tokens(iter([*self.lines, ""]).__next__)
        return [token for token in found if token.type not in _SILENT]

    def _of_bytes(self, line: int, offset: int) -> int:
        before = self.lines[line - 1].encode()[:offset].decode()
        return self._starts[line - 1] + len(before)


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else str(error)
        raise LabellingError(
            f"lfs.py, {where}; a rule can be added when the file can be read: fix it first"
        ) from error


def _returned(tree: ast.Module, rule: RuleSource) -> ast.expr:
    """What `get_lfs` returns in its last line."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "get_lfs"]
    last = found[-1].body[-1] if found else None
    if isinstance(last, ast.Return) and last.value is not None:
        return last.value
    what = "does not end with `return` and its rules" if found else "is not defined at the left margin"
    raise LabellingError(f"lfs.py: get_lfs {what}, so put this into its list yourself: {rule.code}")


def _named(rule: RuleSource, tree: ast.Module, lines: _Lines) -> tuple[str, list[_Cut]]:
    """The rule's code with its functions as the file calls them, and the imports that it lacks."""
    names = {function: _known_as(function, tree) for function in rule.functions}
    code, written = rule.code, _Lines(rule.code)
    for token in reversed(written.tokens()):
        known = names.get(token.string) if token.type == kinds.NAME else None
        if known is not None:
            start, end = (written.at(_Place(*place)) for place in (token.start, token.end))
            code = code[:start] + known + code[end:]
    lacking = [function for function, known in names.items() if known is None]
    return code, _imports(lacking, tree, lines) if lacking else []


def _is_home(node: ast.ImportFrom) -> bool:
    """Whether rules' functions come from there: `adaptml`, or the module `lfs` of the room of rules."""
    return not node.level and (node.module or "").split(".")[-1] in ("adaptml", "lfs")


def _known_as(function: str, tree: ast.Module) -> str | None:
    """What the file calls a function of ours; None where it does not import it."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and _is_home(node):
            for alias in node.names:
                if alias.name == function:
                    return alias.asname or alias.name
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "adaptml":
                    return f"{alias.asname or alias.name}.{function}"
    return None


def _imports(functions: Sequence[str], tree: ast.Module, lines: _Lines) -> list[_Cut]:
    """Imports of some functions: beside those that are there, or in a line of their own below the others."""
    there = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and _is_home(node) and node.names[0].name != "*"
    ]
    if there:
        return [_beside(there[-1].names, function, lines) for function in functions]
    line = f"from adaptml import {', '.join(sorted(functions))}"
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if imports:
        end = lines.end(imports[-1])
        return [_Cut(end, end, f"\n{line}")]
    if ast.get_docstring(tree) is not None:
        end = lines.end(tree.body[0])
        return [_Cut(end, end, f"\n\n{line}")]
    return [_Cut(0, 0, f"{line}\n\n")]


def _beside(names: Sequence[ast.alias], function: str, lines: _Lines) -> _Cut:
    """Into the names of an import, by the alphabet."""
    later = next((alias for alias in names if alias.name > function), None)
    if later is not None:
        start = lines.start(later)
        return _Cut(start, start, f"{function}, ")
    end = lines.end(names[-1])
    return _Cut(end, end, f", {function}")


def _into(returned: ast.expr, code: str, lines: _Lines) -> list[_Cut]:
    """The rule as the last item of what is returned."""
    if isinstance(returned, ast.List):
        return _append(returned, code, lines)
    start, end = lines.start(returned), lines.end(returned)
    old, base = lines.text[start:end], lines.indent(returned.lineno)
    plain = isinstance(returned, ast.Name | ast.Call | ast.ListComp | ast.Attribute | ast.Subscript)
    old = old if plain or old.startswith("(") else f"({old})"
    return [_Cut(start, end, _a_line_each([f"*{_moved(old)}"], code, base))]


def _append(node: ast.List, code: str, lines: _Lines) -> list[_Cut]:
    """The rule behind the last item of a list, and behind a comment on its line."""
    tokens = lines.tokens()
    close_at = lines.end(node) - 1
    number = next(i for i, token in enumerate(tokens) if lines.at(_Place(*token.start)) == close_at)
    close, before = tokens[number], tokens[number - 1]
    after = lines.at(_Place(*before.end))
    if not node.elts:
        return [_Cut(after, after, _indented(code, lines.indent(before.start[0]) + _INDENT))]
    comma = "" if before.string == "," else ","
    if close.start[0] == before.end[0]:
        return [_in_line(node, code, lines, _Cut(after, close_at, comma))]
    first = node.elts[0].lineno
    indent = lines.indent(first) if first != node.lineno else lines.indent(first) + _INDENT
    end = lines.line_end(before.end[0])
    new = f"\n{indent}{_indented(code, indent)},"
    return [_Cut(after, end, f"{comma}{lines.text[after:end]}{new}")]


def _in_line(node: ast.List, code: str, lines: _Lines, gap: _Cut) -> _Cut:
    """Into a list that closes on the line of its last item; one that grows too long gets a line an item."""
    line = node.end_lineno or node.lineno
    chars = lines.line_end(line) - lines.at(_Place(line, 0)) + len(code) + 2
    if "\n" not in code and chars <= _LINE_CHARS:
        return _Cut(gap.start, gap.end, f"{gap.new} {code}")
    base = lines.indent(node.lineno)
    if node.lineno != line:
        indent = base + _INDENT
        return _Cut(gap.start, gap.end, f"{gap.new}\n{indent}{_indented(code, indent)},\n{base}")
    items = [lines.text[lines.start(item) : lines.end(item)] for item in node.elts]
    return _Cut(lines.start(node), lines.end(node), _a_line_each(items, code, base))


def _a_line_each(items: Sequence[str], code: str, base: str) -> str:
    """A list with a line for each item and for new code, in a statement that is indented by `base`."""
    indent = base + _INDENT
    rows = [*items, _indented(code, indent)]
    return "[\n" + "".join(f"{indent}{row},\n" for row in rows) + f"{base}]"


def _moved(old: str) -> str:
    """Code of the file one step further to the right, unless a text in it has lines of its own."""
    texts = [token for token in _Lines(f"({old})").tokens() if token.type == kinds.STRING]
    return old if any("\n" in token.string for token in texts) else _indented(old, _INDENT)


def _indented(code: str, indent: str) -> str:
    """Code whose further lines begin with more blanks."""
    return code.replace("\n", f"\n{indent}")
