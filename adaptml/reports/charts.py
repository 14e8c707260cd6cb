"""Charts as inline SVG: they grow with the page, take its colours, and say their numbers to screen readers.

Lengths along x are percentages, so that text keeps its size on a narrow screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.reports.html import Html, element, joined, shortened

Floats = npt.NDArray[np.float64]
MOST_CHARS = 44  # of a name beside a bar
MOST_IN_HEAT_MAP = 60
BAR_HEIGHT = 14
BAR_SHARE = 60.0  # of the width, in per cent; the rest is for the text
CELL = 18  # of the heat map
N_BINS = 20


@dataclass(frozen=True)
class Series:
    """One kind of bar.

    Attributes:
        name: for the legend.
        shares: float64 (b,), in [0, 1]; NaN draws nothing.
        texts: what stands at the end of each bar.
        low, high: float64 (b,), the borders of an interval, or None.
    """

    name: str
    shares: Floats
    texts: Sequence[str]
    low: Floats | None = None
    high: Floats | None = None


def bars(title: str, names: Sequence[str], series: Sequence[Series]) -> Html:
    """Horizontal bars from 0 to 1: for each of b names one bar a series, maybe with its interval."""
    step = BAR_HEIGHT + 4
    block = 22 + step * len(series)
    drawn: list[Html] = []
    for i, name in enumerate(names):
        top = i * block
        drawn.append(_text(name, 0, top + 14, "name", MOST_CHARS))
        for s, one in enumerate(series):
            drawn += _bar(one, i, s, f"{name}, {one.name}", top + 20 + s * step)
    chart = _svg(title, _described(names, series), block * len(names), *drawn)
    return element("figure", element("figcaption", title), _legend(series), chart)


def _bar(series: Series, i: int, place: int, name: str, y: int) -> list[Html]:
    share = series.shares[i]
    if not np.isfinite(share):
        return [_text(series.texts[i], f"{BAR_SHARE + 2:g}%", y + 12, "value")]
    tip = element("title", f"{name}: {series.texts[i]}")
    parts = [
        _rect("track", 0, y, f"{BAR_SHARE:g}%", BAR_HEIGHT),
        _rect(f"s{place}", 0, y, f"{BAR_SHARE * share:.2f}%", BAR_HEIGHT, tip),
    ]
    if series.low is not None and series.high is not None:
        parts += _whisker(BAR_SHARE * series.low[i], BAR_SHARE * series.high[i], y + BAR_HEIGHT // 2)
    return [*parts, _text(series.texts[i], f"{BAR_SHARE + 2:g}%", y + 12, "value")]


def interval_glyph(share: float, low: float, high: float, text: str) -> Html:
    """A share with its interval, small enough for a cell of a table; NaN draws nothing."""
    if not np.isfinite(share):
        return Html("")
    at = [2 + 96 * value for value in (share, low, high)]
    parts = [
        element("line", class_="axis", x1=2, x2=98, y1=8, y2=8),
        element("line", class_="axis", x1=50, x2=50, y1=4, y2=12),
        element("line", class_="spread", x1=f"{at[1]:.1f}", x2=f"{at[2]:.1f}", y1=8, y2=8),
        element("circle", class_="dot", cx=f"{at[0]:.1f}", cy=8, r=3.5),
    ]
    return element("svg", element("title", text), *parts, class_="glyph", width=100, height=16, role="img")


def histogram(
    title: str,
    values: Floats,
    axis: str,
    bounds: tuple[float, float] = (0.0, 1.0),
    written: Callable[[float], str] | None = None,
) -> Html:
    """How many of the values lie in each of 20 equal bins.

    Args:
        title: what is shown.
        values: float64 (n,), within the bounds.
        axis: what the values are.
        bounds: where the first bin begins and the last one ends.
        written: how a value is written; None for two digits behind the point.
    """
    low, high = bounds
    said, tick = written or "{:.2f}".format, written or "{:g}".format
    # A value at the border of two bins belongs to the upper one, also where binary fractions fall just short.
    places = np.minimum(((values - low) / (high - low) * N_BINS + 1e-9).astype(np.int64), N_BINS - 1)
    counts, edges = np.bincount(places, minlength=N_BINS), np.linspace(low, high, N_BINS + 1)
    tallest, height, width = max(int(counts.max()), 1), 140, 100 / N_BINS
    drawn = [
        _rect(
            "s0",
            f"{i * width + 0.4:.2f}%",
            20 + height - h,
            f"{width - 0.8:.2f}%",
            h,
            element("title", f"{said(edges[i])} to {said(edges[i + 1])}: {count:,}"),
        )
        for i, count in enumerate(counts.tolist())
        if (h := max(round(height * count / tallest), 1 if count else 0))
    ]
    bottom = 20 + height
    drawn.append(element("line", class_="axis", x1="0", x2="100%", y1=bottom + 0.5, y2=bottom + 0.5))
    for at in (0, 0.25, 0.5, 0.75, 1):
        anchor = "start" if at == 0 else "end" if at == 1 else "middle"
        drawn.append(
            _text(tick(low + at * (high - low)), f"{100 * at:g}%", bottom + 16, "tick", anchor=anchor)
        )
    drawn.append(_text(f"highest bar: {int(counts.max()):,}", 0, 12, "tick"))
    drawn.append(_text(axis, "50%", bottom + 34, "tick", anchor="middle"))
    told = (f"{said(edges[i])} to {said(edges[i + 1])}: {c}" for i, c in enumerate(counts.tolist()) if c)
    return element("figure", element("figcaption", title), _svg(title, "; ".join(told), bottom + 42, *drawn))


def sparkline(values: Sequence[float], text: str) -> Html:
    """How a number came along, small enough for a cell of a table; fewer than two draw nothing.

    Args:
        values: from the oldest to the newest; the highest of them is at the top, 0 at the bottom.
        text: what they are.
    """
    if len(values) < 2:
        return Html("")
    points = _points(np.asarray(values, np.float64), 60, 14)
    told = f"{text}: {', '.join(f'{value:,g}' for value in values)}"
    drawn = element("polyline", points=points, class_="spark")
    return element("svg", element("title", told), drawn, class_="glyph", width=64, height=18, role="img")


def line(title: str, shares: Floats, tips: Sequence[str]) -> Html:
    """Shares in [0, 1] one after the other, from the oldest to the newest.

    Args:
        title: what is shown.
        shares: float64 (b,).
        tips: b texts, one a share, shown where the pointer rests.
    """
    width, height = 560, 120
    highest = max(float(shares.max(initial=0)), 1e-9)
    drawn = [
        element("polyline", points=_points(shares, width, height), class_="spark"),
        *(
            element("circle", element("title", tip), class_="dot", cx=x, cy=y, r=4)
            for (x, y), tip in zip(_places(shares, width, height), tips, strict=True)
        ),
        element("line", class_="axis", x1=0, x2=width + 4, y1=height + 2, y2=height + 2),
        _text(f"{highest:.1%}", width + 10, 12, "tick"),
        _text("0", width + 10, height + 4, "tick"),
    ]
    chart = _svg(title, "; ".join(tips), height + 10, *drawn, width=width + 60)
    return element(
        "figure", element("figcaption", title), element("div", chart, class_="scroll", tabindex="0")
    )


def _points(values: Floats, width: float, height: float) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in _places(values, width, height))


def _places(values: Floats, width: float, height: float) -> list[tuple[float, float]]:
    step, highest = width / max(len(values) - 1, 1), max(float(values.max(initial=0)), 1e-9)
    return [
        (round(2 + i * step, 1), round(2 + height * (1 - value / highest), 1))
        for i, value in enumerate(values.tolist())
    ]


def heat_map(
    title: str,
    names: Sequence[str],
    shares: Floats,
    tips: Sequence[Sequence[str]],
    note: str = "",
    links: Sequence[Sequence[str]] | None = None,
) -> Html:
    """A square of m × m shares in [0, 1]: the stronger the colour, the higher; NaN stays empty.

    Args:
        title: what is shown.
        names: m names; columns carry their numbers.
        shares: float64 (m, m).
        tips: m × m sentences, shown where the pointer rests.
        note: a sentence under the title.
        links: m × m addresses that the squares lead to, empty for none; or None.
    """
    m, left = len(names), 200
    drawn = [_text(f"{i + 1}", left + i * CELL + CELL // 2, 12, "tick", anchor="middle") for i in range(m)]
    for i, name in enumerate(names):
        y = 18 + i * CELL
        drawn.append(_text(f"{i + 1} {name}", left - 8, y + 13, "name", 26, anchor="end"))
        drawn += [
            _square(left + j * CELL, y, shares[i, j], tips[i][j], links[i][j] if links else "")
            for j in range(m)
        ]
    width, height = left + m * CELL + 2, 20 + m * CELL
    described = f"{m} by {m}; " + "; ".join(tips[i][j] for i, j in _highest(shares, 10))
    chart = _svg(title, described, height, *drawn, width=width)
    scroll = element("div", chart, class_="scroll", tabindex="0")
    return element("figure", element("figcaption", title), element("p", note) if note else None, scroll)


def _square(x: int, y: int, share: float, tip: str, link: str) -> Html:
    if not link and share == 0:
        return _rect("empty", x, y, CELL - 2, CELL - 2, element("title", tip))
    strength = f"{share:.3f}" if np.isfinite(share) else "0"
    made = joined(
        [
            _rect("empty", x, y, CELL - 2, CELL - 2),
            element(
                "rect",
                element("title", tip),
                class_="heat",
                x=x,
                y=y,
                width=CELL - 2,
                height=CELL - 2,
                fill_opacity=strength,
            ),
        ]
    )
    return element("a", made, href=link, aria_label=tip) if link else made


def _highest(shares: Floats, most: int) -> list[tuple[int, int]]:
    """Places off the diagonal with the highest shares above 0."""
    known = np.nan_to_num(shares, nan=0.0) * (1 - np.eye(len(shares)))
    best = np.argsort(-known, axis=None, kind="stable")[:most]
    return [
        (int(i), int(j)) for i, j in zip(*np.unravel_index(best, known.shape), strict=True) if known[i, j]
    ]


def _rect(
    kind: str, x: float | str, y: float, width: float | str, height: float, tip: Html | None = None
) -> Html:
    """A rectangle of one of the stylesheet's kinds."""
    return element("rect", tip, class_=kind, x=x, y=y, width=width, height=height)


def _whisker(low: float, high: float, y: float) -> list[Html]:
    ends = [
        element("line", class_="whisker", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=y - 4, y2=y + 4)
        for x in (low, high)
    ]
    return [element("line", class_="whisker", x1=f"{low:.2f}%", x2=f"{high:.2f}%", y1=y, y2=y), *ends]


def _text(
    text: str, x: float | str, y: float, kind: str, most_chars: int = 200, anchor: str = "start"
) -> Html:
    tip = element("title", text) if len(text) > most_chars else None
    return element("text", tip, shortened(text, most_chars), class_=kind, x=x, y=y, text_anchor=anchor)


def _svg(title: str, described: str, height: float, *drawn: Html, width: float | str = "100%") -> Html:
    texts = element("title", title), element("desc", described)
    return element("svg", *texts, *drawn, role="img", width=width, height=height)


def _described(names: Sequence[str], series: Sequence[Series]) -> str:
    return "; ".join(f"{name}, {s.name}: {s.texts[i]}" for i, name in enumerate(names) for s in series)


def _legend(series: Sequence[Series]) -> Html | None:
    if len(series) < 2:
        return None
    keys = (
        element("li", element("svg", _rect(f"s{i}", 0, 0, 12, 12), width=12, height=12), f" {one.name}")
        for i, one in enumerate(series)
    )
    return element("ul", *keys, class_="legend")
