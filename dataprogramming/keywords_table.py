"""The table of keywords on the page of a `label` run."""

from adaptml.reports.html import Column, Html, number, table
from adaptml.reports.page import folded
from dataprogramming.keyword_counts import Hits

MOST_KEYWORDS = 1_000


def keywords_table(hits: Hits, n: int) -> Html | None:
    """A line per keyword, those without a row first."""
    lines = [(word, name, count) for name, counts in hits.items() for word, count in counts.items()]
    if not lines:
        return None
    shown = sorted(lines, key=lambda line: line[2])[:MOST_KEYWORDS]
    columns = [
        Column("Keyword", numeric=False),
        Column("LF", numeric=False),
        Column("Rows", help="in how many of these rows it is found"),
    ]
    more = "" if len(shown) == len(lines) else f"; the {len(shown):,} with the fewest rows"
    caption = f"{len(lines):,} keywords, counted on {n:,} rows{more}"
    return folded(
        "Keywords",
        table(columns, [[word, name, number(count)] for word, name, count in shown], caption=caption),
    )
