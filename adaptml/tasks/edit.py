"""Changing a few values of a YAML text; every other byte stays as its writer left it.

ruamel.yaml says where a value is; the text is cut there. Writing the whole document anew would change quotes,
spaces and line breaks that nobody asked about.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from adaptml.errors import TaskError
from adaptml.files import replacing
from adaptml.tasks.plain_yaml import read_yaml

Path_ = Sequence[str | int]
_INDENT = "  "
_NO_BREAK = 1 << 30  # columns
_NOTHING = object()  # for a key that is to go


class _Dumper(yaml.SafeDumper):
    """As the task file's reader understands it, on one line."""

    def ignore_aliases(self, _data: Any) -> bool:
        """A value that is there twice is written twice: the reader takes no alias."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None if value.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def read_file(path: Path) -> str:
    """A text file with its own line ends, which Python would otherwise turn into its own.

    Raises:
        TaskError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path} cannot be read as UTF-8 text: {error}; see that it is there") from error


def write_file(path: Path, text: str) -> None:
    """Put a text into a file's place, whole or not at all, with the line ends that it has.

    Raises:
        FileError: the folder cannot be written.
    """
    with replacing(path.resolve()) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def put(text: str, path: Path_, value: Any) -> str:
    """The text with another value at a place; what is there and equal stays as it is.

    A mapping is compared key by key, so that comments inside it stay. One that is empty is not written.

    Args:
        text: YAML, a mapping.
        path: keys of mappings and numbers of list items, from the outside in; the last may be new.
        value: text, numbers, booleans, None, lists and dictionaries.

    Raises:
        TaskError: a place where the text is written such that only a person can change it.

    >>> put("title: spam  # for now", ["train", "algorithm"], "mlp")
    'title: spam  # for now\\ntrain:\\n  algorithm: mlp'
    """
    old = _at(read_yaml(text), path)
    if value == {}:
        return drop(text, path)
    if old == value and type(old) is type(value):
        return text
    if not isinstance(old, dict) or not isinstance(value, Mapping):
        return _checked(text, _set(text, path, value), path, value)
    for key in value:
        text = put(text, [*path, key], value[key])
    for key in [key for key in old if key not in value]:
        text = drop(text, [*path, key])
    return text


def drop(text: str, path: Path_) -> str:
    """The text without a key; without the mapping around it too, where it was the only one.

    Raises:
        TaskError: as `put`.
    """
    *outside, key = path
    around = _at(read_yaml(text), outside)
    if not isinstance(around, dict) or key not in around:
        return text
    if len(around) == 1 and outside:
        return drop(text, outside)
    node = _node(text, outside)
    place = [name.value for name, _ in node.value].index(key)
    start, end = (_flow_span if node.flow_style else _block_span)(text, node, place)
    return _checked(text, text[:start] + text[end:], path, _NOTHING)


def _set(text: str, path: Path_, value: Any) -> str:
    """The text with a value replaced or added."""
    node, content = _node(text, []), read_yaml(text)
    for depth, key in enumerate(path):
        if isinstance(content, dict):
            if key not in content:
                return _added(text, node, str(key), _nested(path[depth + 1 :], value), depth)
            if content[key] is None:
                return _filled(text, node, key, _nested(path[depth + 1 :], value), depth)
        content, node = content[key], _child(node, key)
    return text[: node.start_mark.index] + _rendered(value) + text[_end(text, node) :]


def _filled(text: str, node: MappingNode, key: str | int, value: Any, depth: int) -> str:
    """The text with a value for a key that has none, such as `train:` alone, or null."""
    name, empty = next(entry for entry in node.value if entry[0].value == key)
    if empty.value:
        return text[: empty.start_mark.index] + _rendered(value) + text[empty.end_mark.index :]
    colon = text.index(":", name.end_mark.index) + 1
    if depth or node.flow_style or not isinstance(value, Mapping):
        return f"{text[:colon]} {_rendered(value)}{text[colon:]}"
    end, newline = _line_end(text, colon), _newline(text)
    return text[:end] + "".join(f"{newline}{_INDENT}{line}" for line in _entries(value)) + text[end:]


def _added(text: str, node: MappingNode, key: str, value: Any, depth: int) -> str:
    """The text with a new key at the end of a mapping."""
    if node.flow_style:
        entry = f"{_rendered(key)}: {_rendered(value)}"
        if not node.value:
            return text[: node.start_mark.index] + "{" + entry + "}" + text[node.end_mark.index :]
        end = _entry_end(text, *node.value[-1])
        return f"{text[:end]}, {entry}{text[end:]}"
    column, newline = node.value[0][0].start_mark.column, _newline(text)
    end = _lines_end(text, _end(text, node), max(column, 1))
    indent = " " * column
    lines = [f"{_rendered(key)}: {_rendered(value)}"]
    if depth == 0 and isinstance(value, Mapping):
        lines = [f"{_rendered(key)}:", *(f"{_INDENT}{line}" for line in _entries(value))]
    return text[:end] + "".join(f"{newline}{indent}{line}" for line in lines) + text[end:]


def _entries(value: Mapping[str, Any]) -> list[str]:
    return [f"{_rendered(key)}: {_rendered(inner)}" for key, inner in value.items()]


def _block_span(text: str, node: MappingNode, place: int) -> tuple[int, int]:
    """The lines of an entry of a block mapping."""
    key, value = node.value[place]
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    end = _lines_end(text, _entry_end(text, key, value), key.start_mark.column + 1)
    newline = _newline(text)
    if text.startswith(newline, end):
        return start, end + len(newline)
    return max(0, start - len(newline)), end


def _flow_span(text: str, node: MappingNode, place: int) -> tuple[int, int]:
    """An entry of a flow mapping with the comma beside it."""
    entries = node.value
    if place:
        return _entry_end(text, *entries[place - 1]), _entry_end(text, *entries[place])
    following = entries[1][0].start_mark.index if entries[1:] else node.end_mark.index - 1
    return entries[0][0].start_mark.index, following


def _end(text: str, node: Node) -> int:
    """Where a value's own text ends: a block's mark is behind the comments and the empty lines below it."""
    if isinstance(node, MappingNode) and not node.flow_style:
        return _entry_end(text, *node.value[-1])
    if isinstance(node, SequenceNode) and not node.flow_style:
        return _end(text, node.value[-1])
    end = int(node.end_mark.index)
    in_block_style = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return len(text[:end].rstrip()) if in_block_style else end


def _entry_end(text: str, key: Node, value: Node) -> int:
    """Where an entry of a mapping ends; the mark of a value that is not there is at the next one."""
    if value.start_mark.index == value.end_mark.index:
        return text.index(":", key.end_mark.index) + 1
    return _end(text, value)


def _lines_end(text: str, position: int, column: int) -> int:
    """The end of a position's line, or of the last comment below it that is indented as far as a column."""
    end = found = _line_end(text, position)
    while found < len(text):
        start = found + len(_newline(text))
        found = _line_end(text, start)
        line = text[start:found]
        inside = line.lstrip(" ").startswith("#") and len(line) - len(line.lstrip(" ")) >= column
        if line.strip() and not inside:
            break
        end = found if inside else end
    return end


def _line_end(text: str, position: int) -> int:
    found = text.find(_newline(text), position)
    return len(text) if found < 0 else found


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _node(text: str, path: Path_) -> Any:
    node = YAML().compose(text)
    for key in path:
        node = _child(node, key)
    return node


def _child(node: Any, key: str | int) -> Any:
    if isinstance(node, SequenceNode):
        return node.value[int(key)]
    return next(value for name, value in node.value if name.value == key)


def _at(content: Any, path: Path_) -> Any:
    """The value at a place; _NOTHING where there is none."""
    for key in path:
        if isinstance(content, dict):
            content = content.get(key, _NOTHING)
        elif isinstance(content, list) and isinstance(key, int):
            content = content[key]
        else:
            return _NOTHING
    return content


def _nested(path: Path_, value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _rendered(value: Any) -> str:
    """A value on one line, as it can be written inside brackets too."""
    plain = dict(value) if isinstance(value, Mapping) else value
    dumped: str = yaml.dump(
        [plain],
        Dumper=_Dumper,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
    )
    return dumped.removesuffix("]\n").removeprefix("[")


def _checked(before: str, after: str, path: Path_, value: Any) -> str:
    """The text after an edit, if it says what it said, but for the one place."""
    try:
        content = read_yaml(after)
    except (yaml.YAMLError, ValueError):
        content = None
    wanted = _with(read_yaml(before), list(path), value)
    if content != wanted:
        place, shown = ".".join(map(str, path)), "nothing" if value is _NOTHING else _rendered(value)
        raise TaskError(
            f"{place} of the task file is written such that it cannot be changed without touching the rest; "
            f"expected plain keys and values: write there {shown}"
        )
    return after


def _with(content: Any, path: list[str | int], value: Any) -> Any:
    """A copy of a content with a value at a place, or without the key where the value is _NOTHING."""
    if not path:
        return value
    key, *rest = path
    if isinstance(content, list) and isinstance(key, int):
        return [_with(item, rest, value) if i == key else item for i, item in enumerate(content)]
    inside = dict(content or {})
    if not rest and value is _NOTHING:
        inside.pop(key, None)
        return inside
    return inside | {key: _with(inside.get(key), rest, value)}
