"""The part of a training's page on how its model was chosen: all that was tried, and the weights."""

import numpy as np

from adaptml.bootstrap import INTERVAL
from adaptml.reports.html import Cell, Column, Html, number, table
from adaptml.reports.page import paragraph
from adaptml.tasks.metrics import Metric
from modelling.choosing import Combined
from modelling.learner import Indicator
from modelling.search import Searched


def choice_section(
    done: Combined, metric: Metric, Y: Indicator, seed: int, searched: Searched | None = None
) -> list[Html | None]:
    """Content of a section; empty where nothing had to be chosen.

    Args:
        done: what was trained, and what was tried for it.
        metric: what decided.
        Y: classes of the gold points that chose, int8 (g, k).
        seed: of the intervals.
        searched: what was found by a search for the parameters of the one that was chosen.
    """
    tried = {way: found for way, found in done.ways.items() if not way.members}
    if len(tried) < 2:
        return []
    weights = done.model.member_weights_ if done.way.members else np.ones(1)
    counts = dict(zip(done.way.each, weights, strict=True))
    columns = [
        Column("Way to train", numeric=False),
        Column(metric.title[:1].upper() + metric.title[1:], help=f"with its {INTERVAL}"),
        Column("Log loss", help="lower is better"),
        Column("Weight", help="how much its model counts in the answer"),
    ]
    lines = []
    for way in sorted(tried, key=lambda way: (-metric.sign * tried[way].metric, tried[way].log_loss)):
        found, count = tried[way], counts.get(way, np.nan)
        low, high = metric.interval(Y, found.said, seed)
        lines.append(
            [
                str(way),
                Cell(f"{found.metric:.3f} ({low:.3f} to {high:.3f})", found.metric),
                number(found.log_loss, f"{found.log_loss:.3f}"),
                number(count, f"{count:.2f}"),
            ]
        )
    told = "Each was tried by cross-validation on gold; of those with a weight, the models answer together."
    caption = f"{len(tried)} ways on {len(Y):,} gold points that the models had not seen, the best first"
    content: list[Html | None] = [paragraph(told), table(columns, lines, caption=caption)]
    if searched is not None:  # the table has the parameters without search
        content.append(paragraph(f"Then its parameters were searched for: {searched.sentence}."))
    return content
