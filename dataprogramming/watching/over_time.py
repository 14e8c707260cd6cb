"""Small multiples: each compared quantity over the watches of a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adaptml.reports.html import Html, element
from dataprogramming.watching.history import MOST_SHOWN, Watch
from dataprogramming.watching.statistics import Kind, Quantity

MOST_PANELS = 60
TOP, HEIGHT, LEFT, RIGHT = 8, 70, 4.0, 96.0  # px, px, and per cent of the width


@dataclass(frozen=True)
class Moment:
    """One watch of one quantity: the share of old rows, and of new ones with its interval."""

    at: datetime
    old: float
    new: float
    low: float
    high: float


def moments(watches: Sequence[Watch], key: str) -> list[Moment]:
    """A quantity in those watches that compared it, at most the last 50, in order."""
    names = [f"{part}/{key}" for part in ("old", "new", "new_low", "new_high")]
    found = [
        Moment(watch.started, *(watch.metrics[name] for name in names))
        for watch in watches
        if all(name in watch.metrics for name in names)
    ]
    return found[-MOST_SHOWN:]


def small_multiples(watches: Sequence[Watch], quantities: Sequence[Quantity]) -> Html:
    """A chart a quantity, those that moved first; the last point of each is the present watch.

    Args:
        watches: the oldest first, the present one included.
        quantities: of the present one.
    """
    ordered = sorted(quantities, key=lambda q: (not q.moved, q.adjusted))[:MOST_PANELS]
    return element("div", *(_panel(q, moments(watches, q.key)) for q in ordered), class_="multiples")


def _panel(quantity: Quantity, found: Sequence[Moment]) -> Html:
    # Each watch has words of its own.
    title = "rows with words that were new" if quantity.kind is Kind.WORDS else quantity.title
    told = "; ".join(f"{m.at:%Y-%m-%d}: {m.new:.3f}" for m in found)
    texts = element("title", title), element("desc", told)
    bottom = TOP + HEIGHT + 18
    dates = [_date(found[0], "0", "start", bottom)]
    dates += [_date(found[-1], "100%", "end", bottom)] if len(found) > 1 else []
    chart = element("svg", *texts, *_drawn(found), *dates, role="img", width="100%", height=bottom + 4)
    mark, last = "moved: " if quantity.moved else "", found[-1]
    note = element("p", f"{mark}{last.old:.3f} → {last.new:.3f}")
    caption = element("figcaption", title)
    return element("figure", caption, note, chart, class_="moved" if quantity.moved else None)


def _drawn(found: Sequence[Moment]) -> list[Html]:
    """Lines and whiskers of all watches, then their dots, which are on top."""
    low, high = min(min(m.low, m.old) for m in found), max(max(m.high, m.old) for m in found)
    span, step = (high - low) or 1.0, (RIGHT - LEFT) / len(found)

    def y(value: float) -> str:
        return f"{TOP + HEIGHT * (1 - (value - low) / span):.1f}"

    lines, dots = [], []
    for i, m in enumerate(found):
        left, middle, right = (LEFT + (i + part) * step for part in (0, 0.5, 1))
        lines.append(_line("before", left, y(m.old), right, y(m.old)))
        if i:
            lines.append(_line("course", middle - step, y(found[i - 1].new), middle, y(m.new)))
        lines.append(_line("spread", middle, y(m.low), middle, y(m.high)))
        tip = f"{m.at:%Y-%m-%d %H:%M}: {m.new:.3f} ({m.low:.3f} to {m.high:.3f}), before {m.old:.3f}"
        cx = f"{middle:.2f}%"
        dots.append(element("circle", element("title", tip), class_="dot", cx=cx, cy=y(m.new), r=3))
    return [*lines, *dots]


def _date(moment: Moment, x: str, anchor: str, y: int) -> Html:
    return element("text", f"{moment.at:%Y-%m-%d}", class_="tick", x=x, y=y, text_anchor=anchor)


def _line(kind: str, x1: float, y1: str, x2: float, y2: str) -> Html:
    return element("line", class_=kind, x1=f"{x1:.2f}%", y1=y1, x2=f"{x2:.2f}%", y2=y2)
