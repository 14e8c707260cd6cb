"""Figures as pictures, from the numbers that a room gave."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaptml.calibration import Reliability
from adaptml.reports.calibration import calibration_table, class_parts, reliability_diagram
from adaptml.reports.charts import Series, bars, interval_glyph
from adaptml.reports.html import Html
from adaptml.reports.interval import wilson


def glyph(figure: Mapping[str, Any]) -> Html:
    """A figure with its interval, small."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    return interval_glyph(value, low, high, f"{value:.3f} ({low:.3f} to {high:.3f})")


def share(right: int, of: int) -> dict[str, float] | None:
    """A share with its 95 % Wilson score interval; None where there is nothing to count."""
    if not of:
        return None
    low, high = (float(end) for end in wilson(right, of))
    return {"value": right / of, "low": low, "high": high}


def reliability(gold: Mapping[str, Any]) -> tuple[str, Html, Html, list[Html]]:
    """What was said and what was true: a sentence, the diagram, the numbers; and the same by class."""
    found = Reliability.read(gold["reliability"])
    overall = found.overall
    return overall.sentence, reliability_diagram(overall), calibration_table(overall), class_parts(found)


def strategies_chart(found: Sequence[Mapping[str, Any]]) -> Html:
    """The strategies as bars with their intervals."""
    names, values = [one["title"] for one in found], np.array([one["value"] for one in found])
    ends = [[one["value"] if one[end] is None else one[end] for one in found] for end in ("low", "high")]
    texts = [f"{one['value']:.3f}" for one in found]
    return bars(
        f"{found[0]['measure']} on gold that was not seen",
        names,
        [Series("", values, texts, *map(np.array, ends))],
    )
