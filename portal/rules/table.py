"""The table of rules as the page shows it: filtered, sorted, with what changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adaptml.reports.charts import sparkline
from adaptml.reports.html import Html
from portal.rules.asked import Asked

Named = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A rule in the table.

    Attributes:
        rule: as `look` answers.
        share: of the sample that it votes on, in [0, 1].
        change: votes more than in the round before; None for a new rule, 0 where there is no round before.
        since_run: share more than in the last label run; None where that is not known.
        spark: how its votes came along.
    """

    rule: Named
    share: float
    change: int | None
    since_run: float | None
    spark: Html

    @property
    def labels(self) -> list[str]:
        """What it votes for: classes, and sets such as "cat or dog"."""
        return list(self.rule["labels"])


def lines(look: Named, asked: Asked, run: Named | None) -> list[Line]:
    """The rules that are asked for, in order.

    Args:
        look: as the question `look` answers.
        asked: filter and order.
        run: as the question `last_label_run` answers; None where it is not known yet.
    """
    found = [_line(rule, look, run) for rule in look["rules"]]
    wanted = asked.find.casefold()
    found = [line for line in found if wanted in line.rule["name"].casefold()]
    if asked.votes_for:
        found = [line for line in found if asked.votes_for in line.rule["classes"]]
    key = _KEYS.get(asked.sort)
    return found if key is None else sorted(found, key=key, reverse=asked.down)


def _line(rule: Named, look: Named, run: Named | None) -> Line:
    before: Mapping[str, Sequence[int]] = look["before"]
    share = rule["votes"] / max(look["n"], 1)
    then = before.get(rule["name"])
    known = (run or {}).get("coverage", {}).get(rule["name"])
    return Line(
        rule=rule,
        share=share,
        change=0 if not before else None if then is None else rule["votes"] - then[0],
        since_run=None if known is None else share - known,
        spark=sparkline(rule["history"], f"votes of {rule['name']}, round by round"),
    )


_KEYS: Mapping[str, Callable[[Line], Any]] = {
    "rule": lambda line: line.rule["name"].casefold(),
    "label": lambda line: ", ".join(line.labels).casefold(),
    "votes": lambda line: line.rule["votes"],
    "overlaps": lambda line: line.rule["n_overlaps"],
    "conflicts": lambda line: line.rule["n_conflicts"],
    "accuracy": lambda line: (
        -1 if line.rule.get("empirical_accuracy") is None else line.rule["empirical_accuracy"]
    ),
    "change": lambda line: abs(line.change or 0),
    "run": lambda line: abs(line.since_run or 0),
}
