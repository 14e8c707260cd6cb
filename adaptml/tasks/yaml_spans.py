"""Where in a YAML text values begin and end, comments that belong to them included."""

import re
from collections.abc import Sequence
from typing import Any

from yaml import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from adaptml.tasks.plain_yaml import compose_yaml

Path_ = Sequence[str | int]
_DASH = re.compile(r" *-(\s|$)")


def node_at(text: str, path: Path_) -> Any:
    """The value at a place that is there.

    Args:
        text: YAML, a mapping.
        path: keys of mappings and numbers of list items, from the outside in.
    """
    node: Any = compose_yaml(text)
    for key in path:
        node = parts(node)[place_of(node, key)][1]
    return node


def place_of(node: Node, key: str | int) -> int:
    """Which of a mapping's entries has a key; of a list's items, its number is the key."""
    return [name.value for name, _ in node.value].index(key) if isinstance(node, MappingNode) else int(key)


def parts(node: Node) -> list[tuple[Node, Node]]:
    """What a mapping or a list is made of, each by its first value and its last."""
    return [part if isinstance(part, tuple) else (part, part) for part in node.value]


def value_end(text: str, node: Node) -> int:
    """Where a value's own text ends: a block's mark is behind the comments and the empty lines below it."""
    if isinstance(node, CollectionNode) and not node.flow_style:
        return value_end(text, parts(node)[-1][1])
    end = int(node.end_mark.index)
    in_block_style = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return len(text[:end].rstrip()) if in_block_style else end


def span(text: str, node: CollectionNode, place: int) -> tuple[int, int]:
    """What goes with an entry or an item: its lines and their end, or in brackets the comma beside it."""
    if not node.flow_style:
        start, end = lines_of(text, node, place)
        following = re.compile(r"\r?\n").match(text, end)
        if following:
            return start, following.end()
        return len(re.sub(r"\r?\n\Z", "", text[:start])), end
    every = parts(node)
    start, end = every[place][0].start_mark.index, value_end(text, every[place][1])
    if every[place + 1 :]:
        return start, every[place + 1][0].start_mark.index
    return (value_end(text, every[place - 1][1]) if place else start), end


def lines_of(text: str, node: CollectionNode, place: int) -> tuple[int, int]:
    """The lines of an entry or an item of a block, from the indentation on, without the end of the last."""
    first, last = parts(node)[place]
    start = text.rfind("\n", 0, first.start_mark.index) + 1
    if isinstance(node, SequenceNode):  # an item may stand below its dash
        while start and not _DASH.match(text, start):
            start = text.rfind("\n", 0, start - 1) + 1
    return start, lines_end(text, value_end(text, last), indent_at(text, start) + 1)


def lines_end(text: str, position: int, column: int) -> int:
    """The end of a position's line, or of the last comment below it that is indented as far as a column."""
    end = found = _line_end(text, position)
    while found < len(text):
        start = text.index("\n", found) + 1
        found = _line_end(text, start)
        line = text[start:found]
        inside = line.lstrip(" ").startswith("#") and indent_at(text, start) >= column
        if line.strip() and not inside:
            break
        end = found if inside else end
    return end


def indent_at(text: str, start: int) -> int:
    """How many spaces a line begins with."""
    return len(text[start:]) - len(text[start:].lstrip(" "))


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    found = len(text) if found < 0 else found
    return found - 1 if text[position:found].endswith("\r") else found
