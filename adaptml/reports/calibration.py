"""Calibration as a reliability diagram, with the counts that it is drawn from."""

from collections.abc import Sequence

from adaptml.calibration import Bin, Calibration
from adaptml.reports.confusion import share_cell
from adaptml.reports.html import Column, Html, element, number, table
from adaptml.reports.interval import wilson
from adaptml.reports.page import paragraph

SIDE, LEFT, TOP = 240, 44, 14  # of the square from 0 to 1, in pixels
MOST_RADIUS, LEAST_RADIUS = 9.0, 2.5
TICKS = (0, 0.25, 0.5, 0.75, 1)


def calibration_section(found: Calibration) -> list[Html | None]:
    """Content of a section: what was said beside what was true, drawn and as numbers."""
    if not found.n:
        return [paragraph("No gold: whether the probabilities can be believed is not known.")]
    said = f"{found.sentence} Expected calibration error {found.error:.3f}."
    return [paragraph(said), reliability_diagram(found), calibration_table(found)]


def reliability_diagram(found: Calibration) -> Html:
    """Mean probability (x) against the share that is true (y), a dot a bin, with 95 % Wilson intervals.

    The larger a dot, the more claims; on the diagonal, probabilities are what they say.
    """
    most = max((one.n for one in found.bins), default=1)
    drawn = [*_frame(), *(part for one in found.bins for part in _dot(one, most))]
    title = "Reliability diagram"
    told = "; ".join(f"said {one.mean:.2f}, true {one.share:.2f}, {one.n:,} claims" for one in found.bins)
    chart = element(
        "svg", element("title", title), element("desc", told), *drawn, role="img",
        width=LEFT + SIDE + 16, height=TOP + SIDE + 46,
    )  # fmt: skip
    return element("figure", element("figcaption", title), chart)


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
            number(one.n),
            number(one.mean, f"{one.mean:.3f}"),
            share_cell(one.true, one.n),
        ]
        for one in found.bins
    ]
    return table(columns, lines, caption="What was said and what was true", sortable=False)


def _frame() -> list[Html]:
    """Axes with their ticks and titles, and the diagonal."""
    right, bottom = LEFT + SIDE, TOP + SIDE
    parts = [
        element("rect", class_="empty", x=LEFT, y=TOP, width=SIDE, height=SIDE),
        element("line", class_="axis diagonal", x1=LEFT, y1=bottom, x2=right, y2=TOP),
        element("line", class_="axis", x1=LEFT, y1=bottom, x2=right, y2=bottom),
        element("line", class_="axis", x1=LEFT, y1=TOP, x2=LEFT, y2=bottom),
    ]
    for at in TICKS:
        parts += [_text(f"{at:g}", _x(at), bottom + 16), _text(f"{at:g}", LEFT - 8, _y(at) + 4, "end")]
    parts += [
        _text("mean probability", LEFT + SIDE // 2, bottom + 36),
        _text("true", LEFT + 6, TOP + 14, "start"),
    ]
    return parts


def _dot(one: Bin, most: int) -> list[Html]:
    low, high = (float(bound) for bound in wilson(one.true, one.n))
    ends = {"y1": f"{_y(low):.1f}", "y2": f"{_y(high):.1f}"}
    x, radius = _x(one.mean), max(LEAST_RADIUS, MOST_RADIUS * (one.n / most) ** 0.5)
    tip = element("title", f"said {one.mean:.3f}, true {one.share:.3f}: {one.true:,} of {one.n:,}")
    return [
        element("line", class_="spread", x1=f"{x:.1f}", x2=f"{x:.1f}", **ends),
        element("circle", tip, class_="dot", cx=f"{x:.1f}", cy=f"{_y(one.share):.1f}", r=f"{radius:.1f}"),
    ]


def _x(share: float) -> float:
    return LEFT + SIDE * share


def _y(share: float) -> float:
    return TOP + SIDE * (1 - share)


def _text(text: str, x: float, y: float, anchor: str = "middle") -> Html:
    return element("text", text, class_="tick", x=x, y=y, text_anchor=anchor)
