"""Where a task's code names classes."""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from adaptml.errors import listed
from adaptml.tasks.class_changes import in_words
from adaptml.tasks.schema import Task


@dataclass(frozen=True)
class Mention:
    """A name in the code of a task.

    Attributes:
        file: the file's name, in the task's folder.
        line: the number of its line.
        name: what stands there, as an attribute or as a text of its own.
    """

    file: str
    line: int
    name: str


def mentions(task: Task, names: Collection[str]) -> list[Mention]:
    """Where the Python files of a task's folder have some names; a file that is no Python has none.

    A word that is looked for in texts, and is called as a class is, is among them.
    """
    found: set[tuple[str, int, str]] = set()
    for path in sorted(task.folder.glob("*.py")) if task.folder is not None and names else []:
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError, RecursionError):  # who runs it says why
            continue
        for node in ast.walk(tree):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
            if isinstance(node, ast.Attribute | ast.Constant) and isinstance(name, str) and name in names:
                found.add((path.name, node.lineno, name))
    return [Mention(*one) for one in sorted(found)]


def said_of(found: Collection[Mention], meaning: Mapping[str, Collection[str | None]]) -> list[str]:
    """For each name, in which lines it is and what it is now.

    Args:
        found: mentions of names.
        meaning: name → what it can be now.
    """
    lines: dict[str, list[str]] = {}
    for one in found:
        lines.setdefault(one.name, []).append(f"{one.file}:{one.line}")
    return [f"{listed(where)}: {name!r} is now {in_words(meaning[name])}" for name, where in lines.items()]
