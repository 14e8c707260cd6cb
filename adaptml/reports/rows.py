"""Rows of data points on a page: few of each bucket, drawn by seed, each stored once.

All buckets of one set of points are drawn by one random order: a bucket takes its first rows in that order.
Each draw is uniform within its bucket, and buckets that overlap share rows (coordinated samples, Cohen 2014,
https://doi.org/10.1007/978-3-642-27848-8_576-1), so that a page with hundreds of buckets stays small.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.frames import KEYS
from adaptml.reports.html import Html, clean, element, joined
from adaptml.reports.texts import Texts

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MAX_ROWS = 200
CHUNK_ROWS = 20_000
MOST_PROBS = 5
LEAST_PROB = 0.005


@dataclass(frozen=True)
class Limits:
    """How much of the rows a page shows: rows per bucket, characters per text."""

    rows: int = MAX_ROWS
    chars: int = 500


@dataclass(frozen=True)
class Repeated:
    """An array of n rows of which many are alike, to be asked for some of them by number: `rows[[3, 1]]`.

    Attributes:
        distinct: array (u, …).
        which: integers (n,), which of them a row is.
    """

    distinct: npt.NDArray[Any]
    which: npt.NDArray[np.integer]

    def __getitem__(self, rows: Any) -> npt.NDArray[Any]:
        """Some rows, (r, …)."""
        return np.asarray(self.distinct[self.which[rows]])


@dataclass(frozen=True)
class Points:
    """n data points that a page can show; arrays may be `Repeated`.

    Attributes:
        keys: `table_name` and `id`.
        votes: (n, m), values in {-1, 0 … v-1}: which of v values each of m voters gave; -1 is none.
        label: (n, k), values in {0, 1}.
        probs: float (n, k), in [0, 1].
        gold: (n, k), values in {0, 1}.
        has_label: bool (n,): rows that have a label at all; None where all have.
        rank: float (n,): a bucket shows its rows from the lowest to the highest; None is by place.
    """

    keys: pd.DataFrame
    votes: npt.NDArray[np.integer] | Repeated | None = None
    label: npt.NDArray[np.int8] | Repeated | None = None
    probs: npt.NDArray[np.floating] | Repeated | None = None
    gold: npt.NDArray[np.int8] | None = None
    has_label: Mask | Repeated | None = None
    rank: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Bucket:
    """Rows behind a number: which of them are shown, in the order of the draw, and how many there are."""

    points: str
    drawn: Numbers
    total: int


def random_order(n: int, seed: int) -> Numbers:
    """The order in which all buckets of n points are drawn."""
    return np.random.default_rng(seed).permutation(n)


def draw(
    points: str,
    order: Numbers,
    mask_of: Callable[[Numbers], Mask],
    totals: Sequence[int],
    most: int = MAX_ROWS,
) -> list[Bucket]:
    """Draw b buckets at once, reading only as many rows as it takes.

    Args:
        points: name of the set of points, as the page's `Rows` knows it.
        order: int64 (n,), from `random_order`.
        mask_of: which of some rows (c,) are in which bucket: bool (c, b).
        totals: true sizes of the buckets.
        most: rows per bucket.
    """
    wanted = np.minimum(np.asarray(totals, np.int64), most)
    parts: list[list[Numbers]] = [[] for _ in totals]
    have = np.zeros(len(wanted), np.int64)
    for start in range(0, len(order), CHUNK_ROWS):
        lacking = np.flatnonzero(have < wanted)
        if not len(lacking):
            break
        rows = order[start : start + CHUNK_ROWS]
        mask = mask_of(rows)
        for b in lacking.tolist():
            hits = rows[np.flatnonzero(mask[:, b])[: wanted[b] - have[b]]]
            parts[b].append(hits)
            have[b] += len(hits)
    empty = np.empty(0, np.int64)
    return [
        Bucket(points, np.concatenate(part) if part else empty, int(total))
        for part, total in zip(parts, totals, strict=True)
    ]


def draw_masks(points: str, order: Numbers, mask: Mask, most: int = MAX_ROWS) -> list[Bucket]:
    """As `draw`, from a mask (n, b) that is there already."""
    return draw(points, order, lambda rows: mask[rows], mask.sum(axis=0).tolist(), most)


@dataclass(frozen=True)
class Words:
    """How a page speaks of its points.

    Attributes:
        voters: m names of labelling functions or people.
        values: the v values that they give.
        classes: k names.
        votes_heading, label_heading: what votes and labels are called.
        judged: values are for classes, so that votes are right or wrong where gold is known.
        fits: numbers of the classes that each of the v values is for; none where the values are the classes.
    """

    voters: Sequence[str] = ()
    values: Sequence[str] = ()
    classes: Sequence[str] = ()
    votes_heading: str = "Votes"
    label_heading: str = "Label"
    judged: bool = True
    fits: Sequence[Sequence[int]] = ()


class Rows:
    """The rows of one page. Buckets name rows by number; `data` holds each row once."""

    def __init__(
        self, points: Mapping[str, Points], words: Words, texts: Texts | None, limits: Limits, seed: int
    ) -> None:
        self._points, self._words, self._texts = points, words, texts
        self._limits, self._seed = limits, seed
        self._numbers: dict[tuple[str, int], int] = {}

    def bucket(self, anchor: str, title: object, bucket: Bucket, how: str = "drawn") -> Html:
        """A bucket that opens on a click; nothing is drawn for an empty one.

        Args:
            anchor: the id that links lead to.
            title: what the rows have in common.
            bucket: the rows.
            how: `drawn` by seed, or in which other order the first ones were taken.
        """
        chosen = bucket.drawn[: self._limits.rows]
        rank = self._points[bucket.points].rank
        chosen = chosen[np.argsort(chosen if rank is None else rank[chosen], kind="stable")]
        numbers = [
            self._numbers.setdefault((bucket.points, row), len(self._numbers)) for row in chosen.tolist()
        ]
        count = count_text(len(numbers), bucket.total, self._seed if how == "drawn" else None, how)
        summary = element("summary", title, " ", element("span", count, class_="count"))
        place = element("div", class_="rows scroll", tabindex="0")
        names = " ".join(map(str, numbers))
        return element("details", summary, place, id=anchor, class_="bucket", data_rows=names)

    def data(self) -> Html:
        """All rows that the buckets name, as JSON that is no code."""
        drawn: dict[str, list[int]] = {}
        for name, row in self._numbers:
            drawn.setdefault(name, []).append(row)
        made: dict[tuple[str, int], list[object]] = {}
        for name, rows in drawn.items():
            made |= {(name, row): entry for row, entry in zip(rows, self._entries(name, rows), strict=True)}
        content = {
            "columns": [] if self._texts is None else self._texts.columns,
            "voters": list(self._words.voters),
            "values": list(self._words.values),
            "classes": list(self._words.classes),
            "headings": {"votes": self._words.votes_heading, "label": self._words.label_heading},
            "judged": self._words.judged,
            "fits": list(self._words.fits),
            "rows": [made[key] for key in self._numbers],
        }
        text = clean(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
        # No sign that could end the element or begin another: the parser sees text up to the real end.
        safe = text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
        return Html(f'<script type="application/json" id="rows">{safe}</script>')

    def _entries(self, name: str, rows: list[int]) -> list[list[object]]:
        points = self._points[name]
        keys = points.keys[KEYS].iloc[rows].astype(str)
        labels = _label_names(points, rows)
        texts = [None] * len(rows) if self._texts is None else self._texts.of(keys, self._limits.chars)
        columns = (
            keys[KEYS[0]],
            keys[KEYS[1]],
            texts,
            _votes(points.votes, rows),
            self._gold(points, keys, rows),
            labels,
            _probs(points.probs, rows),
        )
        return [list(entry) for entry in zip(*columns, strict=True)]

    def _gold(self, points: Points, keys: pd.DataFrame, rows: list[int]) -> Sequence[list[int] | None]:
        if points.gold is not None:
            return _places(points.gold[rows])
        for others in self._points.values():
            if others.gold is not None:
                known = pd.MultiIndex.from_frame(others.keys[KEYS].astype(str))
                found = known.get_indexer(pd.MultiIndex.from_frame(keys))
                return [None if at < 0 else _places(others.gold[[at]])[0] for at in found.tolist()]
        return [None] * len(rows)


def count_text(shown: int, total: int, seed: int | None, how: str = "drawn") -> str:
    """How many rows are shown, of how many.

    >>> count_text(200, 1234, seed=0)
    '200 of 1,234 rows, drawn with seed 0'
    """
    if shown == total:
        return f"{total:,} row{'' if total == 1 else 's'}"
    return f"{shown:,} of {total:,} rows, {how}" + ("" if seed is None else f" with seed {seed}")


def link(anchor: str, count: int, shown: str | None = None) -> object:
    """A number that leads to its rows; plain text where there are none."""
    text = f"{count:,}" if shown is None else shown
    return element("a", text, href=f"#{anchor}") if count else text


def about(limits: Limits, with_texts: bool, how: str) -> Html:
    """How the rows of the page were chosen, in sentences; `how`: such as `drawn at random with seed 0`."""
    texts = (
        f"Texts longer than {limits.chars} characters are cut, and their full length is given."
        if with_texts
        else "This page was made without the texts of the rows."
    )
    drawn = (
        f"Numbers in tables count all rows. Behind a number, at most {limits.rows} of its rows are shown; "
        f"where there are more, they were {how}. "
    )
    return joined([element("p", drawn, texts)])


def _places(flags: npt.NDArray[np.integer]) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in flags]


def _label_names(points: Points, rows: list[int]) -> Sequence[list[int] | None]:
    if points.label is None:
        return [None] * len(rows)
    has = np.ones(len(rows), bool) if points.has_label is None else points.has_label[rows]
    named = _places(points.label[rows])
    return [places if known else None for places, known in zip(named, has.tolist(), strict=True)]


def _votes(votes: npt.NDArray[np.integer] | Repeated | None, rows: list[int]) -> Sequence[list[int] | None]:
    """Per row voter, value, voter, value …; only of those who gave one."""
    if votes is None:
        return [None] * len(rows)
    found = []
    for row in votes[rows]:
        voters = np.flatnonzero(row >= 0)
        found.append(np.column_stack([voters, row[voters]]).ravel().tolist())
    return found


def _probs(
    probs: npt.NDArray[np.floating] | Repeated | None, rows: list[int]
) -> Sequence[list[float] | None]:
    """Per row class, probability, class …: the highest ones."""
    if probs is None:
        return [None] * len(rows)
    found = []
    for row in probs[rows]:
        best = [c for c in np.argsort(-row, kind="stable")[:MOST_PROBS].tolist() if row[c] >= LEAST_PROB]
        found.append([value for c in best for value in (c, round(float(row[c]), 3))])
    return found
