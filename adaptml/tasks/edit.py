"""Changing a few values of a YAML text; every other byte stays as its writer left it.

YAML's parser says where a value is, and the text is cut there. Writing the whole document anew would change
quotes, spaces and line breaks that nobody asked about. What comes of it is read again: if it does not say
what it should, the text is left alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml import MappingNode, ScalarNode

from adaptml.errors import TaskError
from adaptml.files import replacing
from adaptml.tasks.metric_names import F1_OF_POSITIVE
from adaptml.tasks.plain_yaml import PlainLoader, read_yaml
from adaptml.tasks.yaml_spans import (
    Path_,
    indent_at,
    lines_end,
    lines_of,
    node_at,
    parts,
    place_of,
    span,
    value_end,
)

_INDENT = "  "
_NOTHING = object()  # for a value that is to go


class _Dumper(yaml.SafeDumper):
    """As the task file's reader understands it, on one line."""

    yaml_implicit_resolvers = PlainLoader.yaml_implicit_resolvers

    def ignore_aliases(self, _data: Any) -> bool:
        """A value that is there twice is written twice: the reader takes no alias."""
        return True


def without_positive(text: str) -> str:
    """The text of a task file that names no positive class, nor a metric that is about it."""
    text = drop(text, ["positive"])
    return drop(text, ["metric"]) if read_yaml(text).get("metric") == F1_OF_POSITIVE else text


def _text(dumper: _Dumper, value: str) -> ScalarNode:
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

    A mapping is compared key by key, so that comments inside it stay. One that is empty is not written. A
    text keeps the kind of quotes that it had.

    Args:
        text: YAML, a mapping.
        path: keys of mappings and numbers of list items, from the outside in; the last may be a new key.
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


def insert(text: str, path: Path_, place: int, value: Any) -> str:
    """The text with one more item in a list.

    Args:
        text: YAML, a mapping.
        path: where the list is; where there is none, or an empty one, it is written.
        place: how many items are to be before it.
        value: the item, see `put`.

    Raises:
        TaskError: as `put`.

    >>> insert("pets:  # all\\n- cat", ["pets"], 1, "dog")
    'pets:  # all\\n- cat\\n- dog'
    """
    items = _at(read_yaml(text), path)
    if not isinstance(items, list) or not items:
        return put(text, path, [value])
    wanted, node = [*items[:place], value, *items[place:]], node_at(text, path)
    if node.flow_style:
        at = value_end(text, parts(node)[place - 1][1]) if place else parts(node)[0][0].start_mark.index
        new = f", {_rendered(value)}" if place else f"{_rendered(value)}, "
    else:
        start, end = lines_of(text, node, max(0, place - 1))
        beside_in_braces = isinstance(node.value[0], MappingNode) and node.value[0].flow_style
        indent, newline = " " * indent_at(text, start), _newline(text)
        lines = _entries(value) if isinstance(value, Mapping) and not beside_in_braces else [_rendered(value)]
        new = f"{indent}- " + f"{newline}{indent}  ".join(lines)
        at, new = (end, newline + new) if place else (start, new + newline)
    return _checked(text, text[:at] + new + text[at:], path, wanted)


def drop(text: str, path: Path_) -> str:
    """The text without a key or an item; without what is around it too, where it was the only one.

    Raises:
        TaskError: as `put`.

    >>> drop("train: {seed: 1}  # tried\\nlabel: {seed: 1, label_model: em}", ["train", "seed"])
    'label: {seed: 1, label_model: em}'
    """
    *outside, key = path
    around = _at(read_yaml(text), outside)
    if _at(around, [key]) is _NOTHING:
        return text
    if len(around) == 1 and outside:
        return drop(text, outside)
    node = node_at(text, outside)
    start, end = span(text, node, place_of(node, key))
    return _checked(text, text[:start] + text[end:], path, _NOTHING)


def _set(text: str, path: Path_, value: Any) -> str:
    """The text with a value replaced or added."""
    content = read_yaml(text)
    for depth, key in enumerate(path):
        if isinstance(content, dict):
            if key not in content:
                return _added(text, path[:depth], str(key), _nested(path[depth + 1 :], value))
            if content[key] is None:
                return _filled(text, path[: depth + 1], _nested(path[depth + 1 :], value))
        content = content[key]
    node = node_at(text, path)
    style = node.style if isinstance(node, ScalarNode) else None
    return text[: node.start_mark.index] + _rendered(value, style) + text[value_end(text, node) :]


def _filled(text: str, path: Path_, value: Any) -> str:
    """The text with a value for a key that has none, such as `train:` alone, or null."""
    empty = node_at(text, path)
    start, end = empty.start_mark.index, empty.end_mark.index
    if empty.value:
        return text[:start] + _rendered(value) + text[end:]
    below = [] if path[1:] or node_at(text, []).flow_style else _below(value)
    if not below:
        return f"{text[:start]} {_rendered(value)}{text[start:]}"
    end = lines_end(text, start, len(text))
    return text[:end] + "".join(f"{_newline(text)}{_INDENT}{line}" for line in below) + text[end:]


def _added(text: str, path: Path_, key: str, value: Any) -> str:
    """The text with a new key at the end of a mapping."""
    node = node_at(text, path)
    entry = f"{_rendered(key)}: {_rendered(value)}"
    if node.flow_style and not node.value:
        return text[: node.start_mark.index] + "{" + entry + "}" + text[node.end_mark.index :]
    end = value_end(text, parts(node)[-1][1])
    if node.flow_style:
        return f"{text[:end]}, {entry}{text[end:]}"
    column = parts(node)[0][0].start_mark.column
    end = lines_end(text, end, max(column, 1))
    below = [] if path else _below(value)
    lines = [f"{_rendered(key)}:", *(_INDENT + line for line in below)] if below else [entry]
    return text[:end] + "".join(_newline(text) + " " * column + line for line in lines) + text[end:]


def _below(value: Any) -> list[str]:
    """What an outermost key has in lines of its own: entries, and items that have entries."""
    if isinstance(value, Mapping):
        return _entries(value)
    items = value if isinstance(value, list) and all(isinstance(item, Mapping) for item in value) else []
    return [f"- {_rendered(item)}" for item in items]


def _entries(value: Mapping[str, Any]) -> list[str]:
    return [f"{_rendered(key)}: {_rendered(inner)}" for key, inner in value.items()]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _at(content: Any, path: Path_) -> Any:
    """The value at a place; _NOTHING where there is none."""
    for key in path:
        if isinstance(content, dict):
            content = content.get(key, _NOTHING)
        elif isinstance(content, list) and isinstance(key, int) and key < len(content):
            content = content[key]
        else:
            return _NOTHING
    return content


def _nested(path: Path_, value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _rendered(value: Any, style: str | None = None) -> str:
    """A value on one line, as it can be written inside brackets too; a text in the quotes of a style."""
    plain = dict(value) if isinstance(value, Mapping) else value
    quotes = style if isinstance(value, str) and style in ("'", '"') else None
    dumped: str = yaml.dump(
        [plain],
        Dumper=_Dumper,
        default_style=quotes,
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
    """A copy of a content with a value at a place, or without what is there where the value is _NOTHING."""
    if not path:
        return value
    key, *rest = path
    inside = dict(enumerate(content)) if isinstance(content, list) else dict(content or {})
    if rest or value is not _NOTHING:
        inside[key] = _with(inside.get(key), rest, value)
    else:
        inside.pop(key, None)
    return [*inside.values()] if isinstance(content, list) else inside
