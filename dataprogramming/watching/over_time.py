"""Small multiples: each compared quantity over the watches of a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adaptml.reports.html import Html, element, joined
from dataprogramming.watching.history import MOST_SHOWN, Watch
from dataprogramming.watching.statistics import Quantity

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


def small_multiples(watches: Sequence[Watch], quantities: Sequence[Quantity]) -> Html | None:
    """A chart a quantity, those that moved first; the last point of each is the present watch.

    Args:
        watches: the oldest first, the present one included.
        quantities: of the present one.
    """
    ordered = sorted(quantities, key=lambda q: (not q.moved, q.adjusted))[:MOST_PANELS]
    return element("div", *(_panel(q, moments(watches, q.key)) for q in ordered), class_="multiples")


def _panel(quantity: Quantity, found: Sequence[Moment]) -> Html:
    low = min(min(m.low, m.old) for m in found)
    high = max(max(m.high, m.old) for m in found)
    span = (high - low) or 1.0

    def y(value: float) -> str:
        return f"{TOP + HEIGHT * (1 - (value - low) / span):.1f}"

    step = (RIGHT - LEFT) / len(found)
    drawn: list[Html] = []
    for i, m in enumerate(found):
        left, right = LEFT + i * step, LEFT + (i + 1) * step
        drawn.append(_line("before", left, y(m.old), right, y(m.old)))
        middle = (left + right) / 2
        if i:
            drawn.append(_line("course", middle - step, y(found[i - 1].new), middle, y(m.new)))
        drawn.append(_line("spread", middle, y(m.low), middle, y(m.high)))
    for i, m in enumerate(found):
        tip = f"{m.at:%Y-%m-%d %H:%M}: {m.new:.3f} ({m.low:.3f} to {m.high:.3f}), before {m.old:.3f}"
        middle = f"{LEFT + (i + 0.5) * step:.2f}%"
        drawn.append(element("circle", element("title", tip), class_="dot", cx=middle, cy=y(m.new), r=3))
    dates = [f"{m.at:%Y-%m-%d}" for m in (found[0], found[-1])]
    bottom = TOP + HEIGHT + 18
    ends = (
        [(dates[0], "0", "start")]
        if len(found) == 1
        else [(dates[0], "0", "start"), (dates[1], "100%", "end")]
    )
    drawn += [
        element("text", text, class_="tick", x=x, y=bottom, text_anchor=anchor) for text, x, anchor in ends
    ]
    told = "; ".join(f"{m.at:%Y-%m-%d}: {m.new:.3f}" for m in found)
    texts = element("title", quantity.title), element("desc", told)
    chart = element("svg", *texts, *drawn, role="img", width="100%", height=bottom + 4)
    last = found[-1]
    mark = "moved: " if quantity.moved else ""
    caption = element("figcaption", quantity.title)
    note = element("p", f"{mark}{last.old:.3f} → {last.new:.3f}")
    return element("figure", joined([caption, note, chart]), class_="moved" if quantity.moved else None)


def _line(kind: str, x1: float, y1: str, x2: float, y2: str) -> Html:
    return element("line", class_=kind, x1=f"{x1:.2f}%", y1=y1, x2=f"{x2:.2f}%", y2=y2)
