"""One case of bad input: files beside a good project, a command, and what its one line must say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Content = str | bytes | Callable[[Path], None] | None
ROWS = 12
GOOD = """title: Left or right?
setting: multiclass
classes: [{name: left}, {name: right}]
columns: [{name: txt}]
lf_features: [txt]
features: [vec]
"""
LFS = "from adaptml import labeling_function\n"


class Case(NamedTuple):
    """Files to write beside a good project, a command, and facts of the line that it must end in."""

    name: str
    command: str
    facts: str
    files: dict[str, Content] = {}  # noqa: RUF012 - nobody changes it
    env: dict[str, str] = {}  # noqa: RUF012


def task(name: str, facts: str, text: str | bytes) -> Case:
    """A task file that `task check` refuses."""
    return Case(f"task file: {name}", "task check bad", facts, {"tasks/bad/task.yaml": text})


def with_key(name: str, facts: str, line: str) -> Case:
    """A good task file in which one key says something else, or one more is there."""
    key = line.partition(":")[0]
    kept = [each for each in GOOD.splitlines() if not each.startswith(f"{key}:")]
    return task(name, facts, "\n".join([*kept, line, ""]))


def lfs(name: str, facts: str, code: str | bytes, command: str = "label bad --data posts") -> Case:
    """Labelling functions that end `label`."""
    return Case(f"lfs.py: {name}", command, facts, {"tasks/bad/task.yaml": GOOD, "tasks/bad/lfs.py": code})


def body(name: str, facts: str, line: str) -> Case:
    """A labelling function whose body is one line."""
    code = f"{LFS}\ndef get_lfs(params):\n    @labeling_function()\n    def rule(x):\n        {line}\n    return [rule]\n"
    return lfs(name, facts, code)


def frame(name: str, facts: str, file: str, content: Content, command: str = "label topic --data") -> Case:
    """A file of data points that a step refuses."""
    return Case(f"frame: {name}", f"{command} {file}", facts, {file: content})


def export(name: str, facts: str, content: object) -> Case:
    """A file of annotations that is refused."""
    text = content if isinstance(content, str | bytes) or callable(content) else json.dumps(content)
    return Case(f"export: {name}", "process-annotations topic export.json", facts, {"export.json": text})


def address(name: str, facts: str, command: str, **env: str) -> Case:
    """An address or another setting that cannot be used."""
    return Case(f"setting: {name}", command, facts, {}, env)


def typed(command: str, facts: str) -> Case:
    """Names and values that somebody typed."""
    return Case(f"typed: {command[:80]}", command, facts)
