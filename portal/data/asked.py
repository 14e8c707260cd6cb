"""What an address of the data page asks for: table, task, conditions, where the page begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from fastapi import Request

from adaptml.browsing.conditions import ANY, VALUELESS, Condition, parse


@dataclass(frozen=True)
class Asked:
    """What is shown; the address holds all of it.

    Attributes:
        table: the data table.
        task: whose labels, gold and predictions are shown; empty for none.
        text: looked for in every column of text.
        conditions: put together by hand.
        region: a rectangle of a map, `MAP x0 y0 x1 y1`; empty for none.
        after, before: the id behind or before which the page stands; empty for the first page.
    """

    table: str
    task: str = ""
    text: str = ""
    conditions: tuple[Condition, ...] = ()
    region: str = ""
    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: Request, table: str) -> "Asked":
        """What a request's address says."""
        query = request.query_params
        columns, operators, values = (query.getlist(name) for name in ("c", "o", "v"))
        values += [""] * (len(columns) - len(values))
        conditions = tuple(
            Condition(column, op, value)
            for column, op, value in zip(columns, operators, values, strict=False)
            if column
        )
        names = ("task", "region", "after", "before")
        return cls(
            table,
            text=query.get("q", "").strip(),
            conditions=conditions,
            **{n: query.get(n, "") for n in names},
        )

    @property
    def all_conditions(self) -> list[Condition]:
        """The conditions, the text that is looked for among them."""
        return [*([Condition(ANY, "contains", self.text)] if self.text else []), *self.conditions]

    def address(self, part: str = "", **changes: object) -> str:
        """The address of this, or of a part of it such as `/map`; `changes` are of attributes."""
        asked = replace(self, **changes)  # type: ignore[arg-type]
        query: list[tuple[str, str]] = [
            (name, value)
            for name, value in (
                ("task", asked.task), ("q", asked.text), ("region", asked.region), ("after", asked.after),
                ("before", asked.before),
            )
            if value
        ]  # fmt: skip
        for condition in asked.conditions:
            query += [("c", condition.column), ("o", condition.op), ("v", condition.value)]
        return f"/data/{quote(asked.table, safe='')}{part}" + (f"?{urlencode(query)}" if query else "")

    def first(self, part: str = "", **changes: object) -> str:
        """The address of the first page of this, or of a part of it."""
        return self.address(part, after="", before="", **changes)

    def without(self, condition: Condition) -> str:
        """The address without one of the conditions."""
        return self.first(conditions=tuple(c for c in self.conditions if c != condition))

    def also(self, conditions: Iterable[Condition]) -> str:
        """The address with more conditions."""
        return self.first(conditions=tuple(dict.fromkeys([*self.conditions, *conditions])))


def said(condition: Condition) -> str:
    """A condition for people."""
    names = {
        "@label": "label",
        "@gold": "gold",
        "@prediction": "prediction",
        "@votes": "votes",
        ANY: "any text",
    }
    column = names.get(condition.column, condition.column)
    for begin, word in (
        ("@vote:", "rule "),
        ("@prob:", "probability of "),
        ("@predicted:", "predicted probability of "),
    ):
        column = f"{word}{column.removeprefix(begin)}" if column.startswith(begin) else column
    op = condition.op.replace("-", " ")
    return f"{column} {op}" + ("" if condition.op in VALUELESS else f" {condition.value}")


def point_address(table: str, key: str, task: str = "") -> str:
    """The address of a point's page."""
    return f"/data/{quote(table, safe='')}/points/{quote(key, safe='')}" + (
        f"?task={quote(task, safe='')}" if task else ""
    )


def of_run(conditions: Sequence[Condition]) -> list[Condition]:
    """Those of the conditions that only a run can answer."""
    return [c for c in conditions if c.column == "@votes" or c.column.startswith("@vote:")]


def searched_at(argv: Sequence[str]) -> str:
    """Where the rows are listed that a job has searched for; empty where it is no search.

    >>> searched_at(["find", "--condition=* contains free", "--", "posts"])
    '/data/posts?q=free'
    """
    if argv[0] != "find":
        return ""
    asked = [parse(word.removeprefix("--condition=")) for word in argv if word.startswith("--condition=")]
    text = next((condition.value for condition in asked if condition.column == ANY), "")
    return Asked(argv[-1], text=text, conditions=tuple(c for c in asked if c.column != ANY)).address()
