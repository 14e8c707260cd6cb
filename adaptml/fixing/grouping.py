"""What gold points have in common: which rules vote, how long texts are, what stands in columns."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from numbers import Number

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database.facts import kind
from adaptml.fixing.slices import Slice
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import ABSTAIN

MOST_VALUES = 20  # of a column whose values are slices each
BINS = 4
CHUNK_ROWS = 1_000  # texts can be long
TEXT, NUMBER, YES_NO = "text", "number", "BOOLEAN"  # of `kind`

Floats = npt.NDArray[np.float64]


def slices_of(
    project: Project, keys: pd.DataFrame, texts: Sequence[str], votes: pd.DataFrame | None
) -> list[Slice]:
    """Everything by which gold points can be told apart.

    Args:
        project: holds the data tables.
        keys: `table_name` and `id` of g gold points that are in their tables.
        texts: columns of text whose length may matter.
        votes: `table_name`, `id` and a column per rule, -1 where it abstains; None where they are not known.

    Raises:
        DatabaseError: the database refuses.
    """
    found = [] if votes is None else list(by_rule(keys, votes))
    words, values = _read(project, keys, texts)
    for name, counts in words.items():
        found += by_length(name, np.array(counts, np.float64))
    for name, cells in values.items():
        found += by_value(name, cells)
    return found


def by_rule(keys: pd.DataFrame, votes: pd.DataFrame) -> Iterator[Slice]:
    """For each rule the points on which it votes, and those on which none does."""
    rules = [name for name in votes.columns if name not in KEYS]
    cast = keys[KEYS].merge(votes, on=KEYS, how="left")[rules].to_numpy(np.float64)
    known = ~np.isnan(cast)
    voting = known & (cast != ABSTAIN)
    for place, name in enumerate(rules):
        yield Slice(f"the rule {name} votes", voting[:, place], ((f"@vote:{name}", "is-filled", ""),))
    if rules:
        none = known.all(axis=1) & ~voting.any(axis=1)
        yield Slice("no rule votes", none, (("@votes", "is", "uncovered"),))


def by_length(name: str, words: Floats) -> Iterator[Slice]:
    """Texts by their number of words, float64 (g,), in four bins of about as many points; NaN is in none."""
    for low, high, mask in _bins(words):
        n = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        yield Slice(f"{name} of {n} word{'' if n == '1' else 's'}", mask)


def by_value(name: str, values: Sequence[object]) -> Iterator[Slice]:
    """Each of a column's values where these are few; of more numbers, four bins of about as many points."""
    cells = pd.Series(list(values), dtype=object)
    empty = cells.isna() | (cells == "")
    if empty.any():
        yield Slice(f"{name} is empty", empty.to_numpy(), ((name, "is-empty", ""),))
    known = cells[~empty]
    numeric = all(isinstance(cell, Number) and not isinstance(cell, bool) for cell in known)
    distinct = known.unique()
    if len(distinct) <= MOST_VALUES:
        for value in sorted(distinct, key=str):
            shown = f"{value:.17g}" if numeric else str(value)
            yield Slice(
                f"{name} is {shown}",
                (cells == value).to_numpy(bool),
                ((name, "=" if numeric else "is", shown),),
            )
    elif numeric:
        for low, high, mask in _bins(cells.where(~empty, np.nan).to_numpy(np.float64)):
            conditions = ((name, ">=", f"{low:.17g}"), (name, "<=", f"{high:.17g}"))
            yield Slice(f"{name} from {low:.6g} to {high:.6g}", mask, conditions)


def _bins(numbers: Floats) -> Iterator[tuple[float, float, npt.NDArray[np.bool_]]]:
    """The lowest and the highest number of each bin, and which are in it; NaN is in none."""
    there = numbers[np.isfinite(numbers)]
    if not len(there):
        return
    inner = np.unique(np.quantile(there, np.arange(1, BINS) / BINS, method="lower"))
    edges = [-np.inf, *inner, np.inf]
    for below, upto in pairwise(edges):
        mask = (numbers > below) & (numbers <= upto) & np.isfinite(numbers)
        if mask.any():
            yield float(numbers[mask].min()), float(numbers[mask].max()), mask


def _read(
    project: Project, keys: pd.DataFrame, texts: Sequence[str]
) -> tuple[dict[str, list[float]], dict[str, list[object]]]:
    """What stands in the columns that all tables of the points have.

    Returns:
        Of the columns `texts` how many words each of g points has, NaN for none; and the g cells of columns
        of numbers and of those with few values.
    """
    columns = _columns(project, keys)
    words: dict[str, list[float]] = {name: [] for name in texts if columns.get(name) == TEXT}
    values: dict[str, list[object]] = {name: [] for name in columns}
    for start in range(0, len(keys), CHUNK_ROWS):
        rows = project.database.read(keys.iloc[start : start + CHUNK_ROWS], list({**words, **values}))
        for name, counts in words.items():
            counts += [len(text.split()) if isinstance(text, str) else np.nan for text in rows[name]]
        for name in list(values):
            values[name] += rows[name].tolist()
            if columns[name] == TEXT and pd.Series(values[name], dtype=object).nunique() > MOST_VALUES:
                del values[name]
    return words, values


def _columns(project: Project, keys: pd.DataFrame) -> dict[str, str]:
    """Column -> kind, of the columns of text, of numbers, and of yes and no."""
    tables = [project.database.columns(table) for table in keys["table_name"].unique()]
    shared = set(tables[0]).intersection(*tables[1:]) - {"id"}
    kinds = {name: kind(type_) for name, type_ in tables[0].items() if name in shared}
    return {name: what for name, what in kinds.items() if what in (TEXT, NUMBER, YES_NO)}
