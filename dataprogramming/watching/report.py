"""The page that a watch leaves."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from adaptml.reports.charts import Series, bars, interval_glyph
from adaptml.reports.html import Column, Html, element, number, shortened, table
from adaptml.reports.page import Section, facts, page, paragraph, warnings_list
from adaptml.reports.reading import texts_of_task
from dataprogramming.watching.gold_over_time import GoldOverTime
from dataprogramming.watching.history import Watch
from dataprogramming.watching.over_time import small_multiples
from dataprogramming.watching.statistics import Quantity
from dataprogramming.watching.verdict import CALLS, in_words, moved
from dataprogramming.watching.watcher import Found, Watcher
from dataprogramming.watching.words import NewWords

MOST_CHARS = 300
OVER_TIME = (
    "Each point is a watch: new rows, with the interval of 95 %. The dashed line is what they are compared "
    "with. What moved comes first."
)


def watch_report(
    watcher: Watcher, found: Found, lines: Sequence[tuple[str, str]], metrics: Mapping[str, float]
) -> str:
    """The page as text, to be written as UTF-8.

    Args:
        watcher: whose task, new rows and earlier watches.
        found: what it found.
        lines: the outcome as names and texts.
        metrics: the same as numbers, as later watches read them.
    """
    present = Watch("", datetime.now(UTC), {}, metrics)
    times = small_multiples([*watcher.watches, present], found.quantities)
    said = warnings_list([in_words(q) for q in moved(found.quantities)])
    rest = [line for line in lines if line[0] != "moved"]
    sections = [
        Section("verdict", "Verdict", [said, facts(rest)]),
        Section("over-time", "Over time", [
            paragraph(OVER_TIME), times,
        ]),
        Section("comparisons", "Every comparison", [paragraph(f"{CALLS}."), _comparisons(found.quantities)]),
        Section("words", "Words", [_words(found.words)]),
        Section("gold", "The served model on gold", [_gold(found.gold)]),
        Section("to-annotate", "Rows to annotate", [_rows(watcher, found.to_annotate)]),
    ]  # fmt: skip
    title = f"Watching task {watcher.task.name}"
    return page(title, f"{len(watcher.new)} new rows; {lines[0][1]}", sections)


def _comparisons(quantities: Sequence[Quantity]) -> Html:
    columns = [
        Column("what", numeric=False),
        Column("before", help="of the rows of the run"),
        Column("new", help="of the rows that came since"),
        Column("interval of 95 %", numeric=False),
        Column("rows", help="new rows that it is counted on"),
        Column("p", help="of all comparisons together, by Holm"),
        Column("moved", numeric=False),
    ]
    rows = [
        [
            q.title,
            number(q.old.value, f"{q.old.value:.3f}"),
            number(q.new.value, f"{q.new.value:.3f}"),
            interval_glyph(q.new.value, q.new.low, q.new.high, f"{q.new.low:.3f} to {q.new.high:.3f}"),
            number(q.new.n),
            number(q.adjusted, f"{q.adjusted:.2g}"),
            "moved" if q.moved else "",
        ]
        for q in quantities
    ]
    return table(columns, rows, caption=f"{len(rows)} comparisons")


def _words(found: NewWords | None) -> Html | None:
    if found is None:
        return None
    columns = [Column("word", numeric=False), Column("of old rows"), Column("of new rows")]
    rows = [
        [word, _share(old, found.of_old), _share(new, found.of_new)]
        for word, old, new in zip(found.words, found.old, found.new, strict=True)
    ]
    note = "Chosen on one half of the rows, counted on the other."
    return element("div", paragraph(note), table(columns, rows, caption="Words that set new rows apart"))


def _share(count: int, n: int) -> object:
    return number(count / n, f"{count / n:.1%} ({count})")


def _gold(found: GoldOverTime | None) -> Html | None:
    if found is None or not found.periods:
        return None
    rights = [period.right for period in found.periods]
    series = Series(
        found.measure,
        np.array([right.value for right in rights]),
        [f"{right.value:.3f} ({right.n})" for right in rights],
        np.array([right.low for right in rights]),
        np.array([right.high for right in rights]),
    )
    return bars(f"{found.measure} by when gold was made", [p.name for p in found.periods], [series])


def _rows(watcher: Watcher, keys: pd.DataFrame) -> Html | None:
    if keys.empty:
        return None
    texts = texts_of_task(watcher.project.database, watcher.task)(keys)
    columns = [Column(name, numeric=False) for name in texts.columns]
    rows = [[shortened(str(cell), MOST_CHARS) for cell in row] for row in texts.itertuples(index=False)]
    return table(columns, rows, caption=f"{len(keys)} new rows", sortable=False)
