"""How a task's rules came along: what they did on the sample, round after round."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adaptml.errors import FileError
from adaptml.files import write_text
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.lfs_report import Look

MOST_ROUNDS = 50
NUMBERS = ("votes", "n_conflicts", "correct", "incorrect")


@dataclass(frozen=True)
class Round:
    """The rules at one time.

    Attributes:
        when: UTC, ISO 8601.
        who: the person's name.
        sample: names the sample, see `KeptSample`; counts of two samples are not compared.
        n: points of the sample.
        uncovered: those without a vote.
        disagreements: those with votes for different classes.
        n_gold: gold points on which votes are right or wrong.
        rules: name → votes, n_conflicts, correct, incorrect, each a count; the last two are -1 without gold.
    """

    when: str
    who: str
    sample: str
    n: int
    uncovered: int
    disagreements: int
    n_gold: int
    rules: Mapping[str, tuple[int, ...]]

    def says_as(self, other: "Round | None") -> bool:
        """Whether it differs from another one in nothing but time and person."""
        return other is not None and replace(self, when=other.when, who=other.who) == other


def round_of(look: Look, sample: str, who: str) -> Round:
    """What a look says, as a round of now."""
    table = look.table
    known = [name for name in NUMBERS if name in table.columns]
    rules = {
        str(row["lf"]): tuple(int(row[name]) if name in known else -1 for name in NUMBERS)
        for row in table.to_dict("records")
    }
    return Round(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        who=who,
        sample=sample,
        n=len(look.votes),
        uncovered=look.n_uncovered,
        disagreements=look.n_disagreements,
        n_gold=0 if look.votes.gold is None else len(look.votes.gold),
        rules=rules,
    )


def rounds(project: Project, task: str | Task, table: str) -> list[Round]:
    """The last rounds on a table, at most 50, the oldest first."""
    path = _path(project, project.task(task), table)
    if not path.is_file():
        return []
    try:
        return [_read(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise FileError(
            f"{path} cannot be read ({error}); remove it: it only keeps how rules came along"
        ) from error


def keep_round(project: Project, task: str | Task, table: str, new: Round) -> list[Round]:
    """Keep a round where it says something else than the last one; gives the rounds, the new one last."""
    before = rounds(project, task, table)
    if new.says_as(before[-1] if before else None):
        return before
    kept = [*before, new][-MOST_ROUNDS:]
    lines = (json.dumps(asdict(one), ensure_ascii=False) for one in kept)
    write_text("\n".join(lines) + "\n", _path(project, project.task(task), table))
    return kept


def _read(said: dict[str, Any]) -> Round:
    return Round(**said | {"rules": {name: tuple(numbers) for name, numbers in said["rules"].items()}})


def _path(project: Project, task: Task, table: str) -> Path:
    return project.settings.workbench(task.name) / f"rounds-{quote(table, safe='')}.jsonl"
