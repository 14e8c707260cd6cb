"""Calibration as reliability diagrams, with the counts that they are drawn from."""

from collections.abc import Sequence

from adaptml.calibration import FEW, Bin, Calibration, Reliability
from adaptml.reports.charts import interval_glyph
from adaptml.reports.confusion import share_cell
from adaptml.reports.html import Column, Html, element, joined, number, shortened, table
from adaptml.reports.interval import wilson
from adaptml.reports.page import paragraph

SIDE, SMALL_SIDE = 240, 150  # of the square from 0 to 1, in pixels
LEFT, TOP = 44, 14
MOST_RADIUS, LEAST_RADIUS = 9.0, 2.5
MOST_DRAWN = 12  # classes
MOST_CHARS = 24  # of a class's name above its diagram
HALF = 0.5


def calibration_section(found: Reliability | None) -> list[Html | None]:
    """Content of a section: what was said beside what was true, as diagrams and as numbers."""
    if found is None or not found.overall.n:
        return [paragraph("No gold: whether the probabilities can be believed is not known.")]
    return [
        paragraph(found.overall.sentence),
        reliability_diagram(found.overall),
        calibration_table(found.overall),
        element("h3", "Class by class"),
        *class_parts(found),
    ]


def class_parts(found: Reliability) -> list[Html]:
    """Class by class, the rarest first: what is shown, a table, and the diagrams of the first ones."""
    drawn = found.rarest_first[:MOST_DRAWN]
    more = len(found.by_class) - len(drawn)
    only = f" Drawn are the {MOST_DRAWN} rarest of {len(found.by_class)} classes." if more else ""
    diagrams = (reliability_diagram(one, name, small=True) for name, one in drawn)
    return [
        paragraph(
            "Of the points that were given a probability for a class, how many have it. The class with the "
            f"fewest gold points comes first.{only} "
            f"A hollow dot stands for fewer than {FEW} claims, which say little."
        ),
        class_table(found),
        element("div", *diagrams, class_="multiples"),
    ]


def reliability_diagram(found: Calibration, name: str = "", *, small: bool = False) -> Html:
    """Mean probability (x) against the share that is true (y), a dot a bin, with 95 % Wilson intervals.

    The larger a dot, the more claims; a hollow one has fewer than FEW, and the curve leaves it out. On the
    diagonal, probabilities are what they say.

    Args:
        found: what was counted.
        name: of the class that was claimed; empty for all.
        small: for one of several.
    """
    square = _Square(SMALL_SIDE if small else SIDE)
    most = max((one.n for one in found.bins), default=1)
    sure = [one for one in found.bins if not one.is_few]
    curve = " ".join(f"{square.x(one.mean):.1f},{square.y(one.share):.1f}" for one in sure)
    drawn = [
        *square.frame(),
        *([element("polyline", points=curve, class_="course")] if len(sure) > 1 else []),
        *(part for one in found.bins for part in square.dot(one, most)),
    ]
    title = f"Reliability diagram{' of ' if name else ''}{name}"
    told = "; ".join(f"said {one.mean:.2f}, true {one.share:.2f}, {one.n:,} claims" for one in found.bins)
    chart = element(
        "svg", element("title", title), element("desc", told), *drawn, role="img",
        width=LEFT + square.side + 16, height=TOP + square.side + 46,
    )  # fmt: skip
    caption = shortened(name, MOST_CHARS) if name else title
    count = f" {found.true:,} of {found.n:,}" if name else None
    heading = element("figcaption", caption, count and element("span", count, class_="quiet"))
    return element("figure", heading, chart)


def calibration_table(found: Calibration) -> Html:
    """The bins as numbers."""
    columns = [
        Column("Probability", numeric=False),
        Column("Claims"),
        Column("Mean said"),
        Column("True", help="the share of the claims that is true; 95 % Wilson score interval"),
    ]
    lines: list[Sequence[object]] = [
        [
            f"{one.low:.1f} to {one.high:.1f}",
            number(one.n, _few(one)),
            number(one.mean, f"{one.mean:.3f}"),
            share_cell(one.true, one.n),
        ]
        for one in found.bins
    ]
    return table(columns, lines, caption="What was said and what was true", sortable=False)


def class_table(found: Reliability) -> Html:
    """A line per class: the calibration error, and what became of the points that were given the class."""
    columns = [
        Column("Class", numeric=False),
        Column("Gold points"),
        Column("Calibration error", help="expected calibration error with its 95 % bootstrap interval"),
        Column("Given 0.5 or more", help="points whose probability of the class is at least one half"),
        Column("Mean said", help="the mean of these probabilities"),
        Column("True", help="how many of these points have the class; 95 % Wilson score interval"),
    ]
    lines = [_class_line(name, one) for name, one in found.rarest_first]
    return table(columns, lines, caption="Probabilities of each class, the rarest first", sortable=False)


def _class_line(name: str, one: Calibration) -> list[object]:
    named = [part for part in one.bins if part.low >= HALF]
    n, true = sum(part.n for part in named), sum(part.true for part in named)
    said = sum(part.n * part.mean for part in named) / n if n else float("nan")
    text = f"{one.error:.3f} [{one.error_low:.3f}, {one.error_high:.3f}]"
    error = joined([interval_glyph(one.error, one.error_low, one.error_high, text), " ", text])
    return [
        name,
        number(one.true),
        number(one.error, error),
        number(n),
        number(said, f"{said:.3f}"),
        share_cell(true, n) if n >= FEW else f"{true} of {n}, too few to judge" if n else "–",
    ]


def _few(one: Bin) -> str:
    return f"{one.n:,}, few" if one.is_few else f"{one.n:,}"


class _Square:
    """The square from 0 to 1, `side` pixels wide."""

    def __init__(self, side: int) -> None:
        self.side = side

    def x(self, share: float) -> float:
        return LEFT + self.side * share

    def y(self, share: float) -> float:
        return TOP + self.side * (1 - share)

    def frame(self) -> list[Html]:
        """Axes with their ticks and titles, and the diagonal."""
        right, bottom = LEFT + self.side, TOP + self.side
        parts = [
            element("rect", class_="empty", x=LEFT, y=TOP, width=self.side, height=self.side),
            element("line", class_="axis diagonal", x1=LEFT, y1=bottom, x2=right, y2=TOP),
            element("line", class_="axis", x1=LEFT, y1=bottom, x2=right, y2=bottom),
            element("line", class_="axis", x1=LEFT, y1=TOP, x2=LEFT, y2=bottom),
        ]
        for at in (0, 0.25, 0.5, 0.75, 1) if self.side == SIDE else (0, 0.5, 1):
            parts += [
                _text(f"{at:g}", self.x(at), bottom + 16),
                _text(f"{at:g}", LEFT - 8, self.y(at) + 4, "end"),
            ]
        parts += [
            _text("mean probability", LEFT + self.side // 2, bottom + 36),
            _text("true", LEFT + 6, TOP + 14, "start"),
        ]
        return parts

    def dot(self, one: Bin, most: int) -> list[Html]:
        """A bin: its share, and how sure it is."""
        low, high = (float(bound) for bound in wilson(one.true, one.n))
        ends = {"y1": f"{self.y(low):.1f}", "y2": f"{self.y(high):.1f}"}
        x, radius = (
            self.x(one.mean),
            max(LEAST_RADIUS, MOST_RADIUS * self.side / SIDE * (one.n / most) ** 0.5),
        )
        tip = element("title", f"said {one.mean:.3f}, true {one.share:.3f}: {one.true:,} of {one.n:,}")
        place = {"cx": f"{x:.1f}", "cy": f"{self.y(one.share):.1f}", "r": f"{radius:.1f}"}
        if one.is_few:
            return [element("circle", tip, class_="few", **place)]
        return [
            element("line", class_="spread", x1=f"{x:.1f}", x2=f"{x:.1f}", **ends),
            element("circle", tip, class_="dot", **place),
        ]


def _text(text: str, x: float, y: float, anchor: str = "middle") -> Html:
    return element("text", text, class_="tick", x=x, y=y, text_anchor=anchor)
