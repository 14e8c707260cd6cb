"""Changing the classes in the text of a task file: what is not about classes stays, byte for byte.

YAML's parser says where in the text each value begins and ends, and only those stretches are written anew. So
comments, quotes, the style of lists, line ends and everything else stay as their writer left them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from adaptml.errors import TaskError
from adaptml.tasks.class_changes import ClassChange
from adaptml.tasks.class_edits import PlannedClass
from adaptml.tasks.plain_yaml import compose_yaml, read_yaml
from adaptml.tasks.scaffold import PLACEHOLDERS

_CHOSEN_WHEN = PLACEHOLDERS[1]  # a description that its writer is to replace
_PLAIN = re.compile(r"[^\W\d_](?:[\w .\-]*\w)?")  # what needs no quotes in any place, as far as it is text


@dataclass(frozen=True)
class _Splice:
    """A stretch of the text, and what takes its place."""

    start: int
    end: int
    text: str


def with_classes(
    text: str,
    classes: Sequence[PlannedClass],
    positive: str | None,
    changes: Sequence[ClassChange],
    texts: Any = None,
) -> str:
    """The text of a task file with other classes.

    Args:
        text: YAML, with the keys `classes`, and `class_changes` and `positive` where there are any.
        classes: the new list.
        positive: the positive class; None takes the key out.
        changes: what `class_changes` is to say: what it says and one more, or one less.
        texts: name → what a class that is new in the file says (`description`, `examples`); by default a
            description that its writer is to replace.

    Raises:
        TaskError: a text that is written such that this cannot be done.
    """
    root = compose_yaml(text)
    keys = {key.value: (key, value) for key, value in root.value}
    editor = _Editor(text, root)
    editor.classes(keys["classes"][1], classes, texts or {})
    editor.positive(keys, positive)
    editor.changes(keys.get("class_changes"), changes)
    return editor.done()


class _Editor:
    """Collects what is to be written anew in one text."""

    def __init__(self, text: str, root: yaml.MappingNode) -> None:
        self.text, self.root = text, root
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.splices: list[_Splice] = []

    def done(self) -> str:
        """The text with everything in its place."""
        text = self.text
        in_order = sorted(enumerate(self.splices), key=lambda one: (one[1].start, one[1].end, one[0]))
        for _, splice in reversed(in_order):  # from the end, so that places stay right
            text = text[: splice.start] + splice.text + text[splice.end :]
        return text

    def put(self, start: int, end: int, text: str) -> None:
        """Let a text take the place of a stretch."""
        self.splices.append(_Splice(start, end, text))

    def classes(self, node: yaml.SequenceNode, planned: Sequence[PlannedClass], texts: Any) -> None:
        """Names where they stand, items that go, items that are new."""
        items = {_name_of(item).value: item for item in node.value}
        used = [one.written_as for one in planned if one.written_as is not None]
        if len(used) == len(items) == len(planned):
            for one in planned:
                self._rename(_name_of(items[str(one.written_as)]), one.name)
        elif node.flow_style:
            self._flow_classes(node, items, planned)
        else:
            self._block_classes(node, items, planned, texts)

    def _rename(self, scalar: yaml.ScalarNode, name: str) -> None:
        if scalar.value != name:
            self.put(scalar.start_mark.index, self._end(scalar), _written(name, scalar.style))

    def _flow_classes(
        self, node: yaml.SequenceNode, items: dict[str, Any], planned: Sequence[PlannedClass]
    ) -> None:
        """`[a, b]`: the whole list anew, each item as it was written."""
        start, end = node.value[0].start_mark, self._end(node.value[-1])
        between = [
            self.text[self._end(one) : other.start_mark.index]
            for one, other in zip(node.value, node.value[1:], strict=False)
        ]
        if any("#" in gap for gap in between):
            raise TaskError(
                "the classes are a list in brackets with comments in it, which would be lost; write them one "
                "a line, each behind a dash, and run this again"
            )
        mapping = isinstance(node.value[0], yaml.MappingNode)
        written = []
        for one in planned:
            if one.written_as is None:
                new = _written(one.name, None)
                written.append(f"{{name: {new}}}" if mapping else new)
            else:
                written.append(self._item_text(items[one.written_as], one.name))
        self.put(start.index, end, (between[0] if between else ", ").join(written))

    def _item_text(self, item: Any, name: str) -> str:
        """An item as it was written, with another name."""
        scalar = _name_of(item)
        start, end = scalar.start_mark.index, self._end(scalar)
        new = self.text[start:end] if scalar.value == name else _written(name, scalar.style)
        return self.text[item.start_mark.index : start] + new + self.text[end : self._end(item)]

    def _block_classes(
        self, node: yaml.SequenceNode, items: dict[str, Any], planned: Sequence[PlannedClass], texts: Any
    ) -> None:
        """One a line behind dashes: lines go and come."""
        used = {one.written_as for one in planned}
        for name, item in items.items():
            if name not in used:
                self.put(self._dash_line(node, item), self._line_end(self._end(item)), "")
        place = self._dash_line(node, node.value[0])
        for one in planned:
            if one.written_as is None:
                self._insert(place, self._new_item(node, one.name, texts.get(one.name)))
            else:
                item = items[one.written_as]
                self._rename(_name_of(item), one.name)
                place = self._line_end(self._end(item))

    def _new_item(self, node: yaml.SequenceNode, name: str, said: Any) -> str:
        """The lines of a class that was not there, written as the others are."""
        dash, written = " " * node.start_mark.column + "- ", _written(name, None)
        if isinstance(node.value[0], yaml.ScalarNode) and said is None:
            return dash + written
        if isinstance(node.value[0], yaml.MappingNode) and node.value[0].flow_style and said is None:
            return f"{dash}{{name: {written}}}"
        said = {"description": _CHOSEN_WHEN} if said is None else said
        lines = [f"{dash}name: {written}", *(f"{' ' * len(dash)}{key}: {_json(said[key])}" for key in said)]
        return self.newline.join(lines)

    def positive(self, keys: dict[str, Any], name: str | None) -> None:
        """The positive class: renamed, taken out with its line, or put before the classes."""
        if "positive" not in keys or keys["positive"][1].value == "":
            if name is not None:
                self._insert(
                    self._line_start(keys["classes"][0].start_mark.index), f"positive: {_written(name, None)}"
                )
            return
        key, value = keys["positive"]
        if name is not None:
            self._rename(value, name)
        elif self.root.flow_style:
            raise TaskError(
                f"the positive class {value.value!r} cannot stay; take `positive` out of the task file, and "
                "run this again"
            )
        else:
            self.put(self._line_start(key.start_mark.index), self._line_end(self._end(value)), "")

    def changes(self, pair: tuple[Any, Any] | None, changes: Sequence[ClassChange]) -> None:
        """One more at the end of `class_changes`, or one less."""
        items = [] if pair is None else pair[1].value
        if len(changes) < len(items):
            self._take_last(pair, items)
            return
        new = _change_text(changes[-1])
        if pair is None or not items:
            if pair is not None:
                raise TaskError("class_changes is empty; take it out of the task file, and run this again")
            self._append_key(new)
        elif pair[1].flow_style:
            self.put(self._end(items[-1]), self._end(items[-1]), f", {new}")
        else:
            dash = " " * pair[1].start_mark.column + "- "
            self._insert(self._line_end(self._end(items[-1])), dash + new)

    def _append_key(self, new: str) -> None:
        """`class_changes` as the last key."""
        if self.root.flow_style:
            end = self._end(self.root.value[-1][1])
            self.put(end, end, f", class_changes: [{new}]")
            return
        indent = " " * self.root.start_mark.column
        lines = f"{indent}class_changes:  # what names of before are now{self.newline}{indent}  - {new}"
        self._insert(self.root.end_mark.index, lines)

    def _take_last(self, pair: Any, items: Sequence[Any]) -> None:
        key, sequence = pair
        if self.root.flow_style:
            raise TaskError("the task file is one list in braces; take the last of class_changes out by hand")
        if len(items) == 1:
            self.put(self._line_start(key.start_mark.index), self._line_end(self._end(sequence)), "")
        elif sequence.flow_style:
            self.put(self._end(items[-2]), self._end(items[-1]), "")
        else:
            self.put(self._dash_line(sequence, items[-1]), self._line_end(self._end(items[-1])), "")

    def _insert(self, place: int, lines: str) -> None:
        """Whole lines, at the beginning of a line or at the end of the text."""
        before = "" if place == 0 or self.text[place - 1] in "\r\n" else self.newline
        after = "" if before and place == len(self.text) else self.newline
        self.put(place, place, f"{before}{lines}{after}")

    def _end(self, node: Any) -> int:
        """Where a value ends, without the blank lines and comments behind it."""
        if isinstance(node, yaml.ScalarNode):
            if node.style in ("|", ">"):
                return len(self.text[: node.end_mark.index].rstrip())
            return int(node.end_mark.index)
        if node.flow_style or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return max(map(self._end, last)) if isinstance(last, tuple) else self._end(last)

    def _dash_line(self, node: yaml.SequenceNode, item: Any) -> int:
        """Where the line begins that has the dash of an item."""
        start, column = self._line_start(item.start_mark.index), node.start_mark.column
        while not re.match(rf" {{{column}}}-(\s|$)", self.text[start:]):
            start = self._line_start(start - 1)
        return start

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        """Where the next line begins."""
        found = self.text.find("\n", index)
        return len(self.text) if found == -1 else found + 1


def _name_of(item: Any) -> yaml.ScalarNode:
    """Where a class has its name: alone, or under `name`."""
    if isinstance(item, yaml.ScalarNode):
        return item
    found: yaml.ScalarNode = next(value for key, value in item.value if key.value == "name")
    return found


def _written(name: str, style: str | None) -> str:
    """A name as YAML, in the quotes of the name before it where it had some."""
    if style == "'":
        return "'" + name.replace("'", "''") + "'"
    if style == '"' or not _PLAIN.fullmatch(name) or read_yaml(name) != name:
        return _json(name)
    return name


def _json(value: Any) -> str:
    """JSON, which is YAML too, though YAML does not know its escapes of emoji."""
    return json.dumps(value, ensure_ascii=False)


def _change_text(change: ClassChange) -> str:
    """One line for one change."""
    before = ", ".join(_written(name, None) for name in change.before)
    becomes = ", ".join(
        f"{_written(name, None)}: [{', '.join(_written(new, None) for new in parts)}]"
        for name, parts in change.becomes.items()
    )
    said = f", becomes: {{{becomes}}}" if becomes else ""
    return f"{{date: {change.date}, before: [{before}]{said}}}"
