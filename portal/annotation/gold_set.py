"""The gold set as a page shows it: which points, with what people see of them, and the counts."""

from collections import Counter
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from fastapi import Request, Response

from adaptml.frames import KEYS
from adaptml.gold_labels.annotators import annotator_names
from adaptml.gold_labels.core import PARTS, RANK, Point
from adaptml.gold_labels.home import GoldHome
from adaptml.gold_labels.reading import GoldLabels, gold_labels
from adaptml.labelled import GOLD_LABEL, renamed
from adaptml.project import Project
from adaptml.tasks import Task
from portal.annotation.common import page, when
from portal.annotation.points import data_tables, shown
from portal.showing import project_of

PER_PAGE = 50
NONE = "(none)"  # in the address, for points about none of the classes
_SHOWN = [*KEYS, GOLD_LABEL, "origin", "who", "made_at", "part", "changed"]


@dataclass(frozen=True)
class Wanted:
    """Which gold points are shown; an empty value is no condition.

    Attributes:
        origin: how they were made.
        named: a class, or `NONE`.
        part: `tune` or `judge`.
        who: a person.
        only: `changed`: those that read otherwise now.
    """

    origin: str = ""
    named: str = ""
    part: str = ""
    who: str = ""
    only: str = ""

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Those of some gold points."""
        return frame[pd.Series([self._takes(row) for row in rows_of(frame)], index=frame.index, dtype=bool)]

    def _takes(self, row: dict[str, Any]) -> bool:
        label = row[GOLD_LABEL]
        return (
            self.origin in ("", row["origin"])
            and (not self.named or (self.named in label if self.named != NONE else not label))
            and self.part in ("", row["part"])
            and (not self.who or self.who in _people(row["who"]))
            and (not self.only or row["changed"] is True)
        )


def gold_page(
    request: Request, spec: Task, wanted: Wanted, n: int, status: int = 200, **more: Any
) -> Response:
    """The page of the gold set: the nth of those that are wanted, from 1."""
    project = project_of(request)
    found = found_gold(project, spec)
    those = wanted.of(found.frame)
    first = (n - 1) * PER_PAGE
    rows = rows_of(those.iloc[first : first + PER_PAGE])
    names = annotator_names(project, spec.name)
    asked = {name: value for name, value in asdict(wanted).items() if value}
    points: list[Point] = [(row["table_name"], row["id"]) for row in rows]
    context = {
        "rows": [_shown_row(row, names) for row in rows],
        "names": names,
        "texts": shown(project, spec, points),
        "counts": _counts(found.frame, spec),
        "tables": data_tables(project, spec),
        "back": urlencode(asked | ({"n": n} if n > 1 else {})),
        "link": f"{urlencode(asked)}&" if asked else "",
        "excel": bool(find_spec("openpyxl")),
        **({"wrong": "", "taken": []} | more),
    }
    return page(
        request, spec, "gold", None, status, wanted=wanted, total=len(those), all=len(found.frame), n=n,
        per_page=PER_PAGE, changed=found.changed, gone=len(found.gone), overruled=found.overruled, **context,
    )  # fmt: skip


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, by column."""
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _shown_row(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    people = [names.get(name, name) for name in _people(row["who"])]
    return row | {"made_at": when(row["made_at"]), "who": ", ".join(people)}


def found_gold(project: Project, spec: Task) -> GoldLabels:
    """The task's gold, with its labels by the names of now; empty where there is none."""
    home = GoldHome(project, spec.name)
    if not home.exists or home.rows().empty:
        empty = pd.DataFrame(columns=_SHOWN, dtype=object)
        return GoldLabels(empty, empty[KEYS], 0)
    found = gold_labels(project, spec.name)
    labels = renamed(found.frame[GOLD_LABEL], spec)
    found.frame[GOLD_LABEL] = pd.Series(labels, index=found.frame.index, dtype=object)
    return found


def _counts(frame: pd.DataFrame, spec: Task) -> dict[str, dict[str, int]]:
    """How many points have each value that can be asked for."""
    classes = Counter(name for label in frame[GOLD_LABEL] for name in label)
    none = sum(not len(label) for label in frame[GOLD_LABEL])
    origins, parts = Counter(frame["origin"]), Counter(frame["part"])
    people = Counter(name for who in frame["who"] for name in _people(who))
    known = [*spec.class_names, *sorted(set(classes) - set(spec.class_names))]
    return {
        "origin": {name: origins[name] for name in RANK if origins[name]},
        "named": {name: classes[name] for name in known} | ({NONE: none} if none else {}),
        "part": {name: parts[name] for name in PARTS},
        "who": dict(people.most_common()),
    }


def _people(who: object) -> list[str]:
    return [name.strip() for name in who.split(",")] if isinstance(who, str) and who else []
