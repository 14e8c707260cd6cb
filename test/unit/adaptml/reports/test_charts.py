"""Charts are well-formed SVG that says its numbers."""

from xml.etree import ElementTree

import numpy as np

from adaptml.reports.charts import Series, bars, heat_map, histogram, interval_glyph


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def rects(chart: ElementTree.Element, kind: str) -> list[dict[str, str]]:
    return [node.attrib for node in chart.iter("rect") if node.attrib["class"] == kind]


def test_bars_have_the_length_of_their_share_and_whiskers() -> None:
    series = [
        Series("labels", np.array([0.5, 1.0]), ["5", "10"]),
        Series("gold", np.array([0.25, np.nan]), ["1", "–"], np.array([0.1, 0]), np.array([0.4, 1])),
    ]
    chart = parsed(bars("Share", ["<cat>", "dog"], series))
    assert [bar["width"] for bar in rects(chart, "s0")[1:]] == ["30.00%", "60.00%"]  # after the legend's
    assert [bar["width"] for bar in rects(chart, "s1")[1:]] == ["15.00%"]
    whiskers = [node.attrib for node in chart.iter("line")]
    assert [(w["x1"], w["x2"]) for w in whiskers] == [
        ("6.00%", "24.00%"),
        ("6.00%", "6.00%"),
        ("24.00%", "24.00%"),
    ]
    described = chart.find(".//desc")
    assert described is not None
    assert described.text == "<cat>, labels: 5; <cat>, gold: 1; dog, labels: 10; dog, gold: –"


def test_histogram_counts_by_hand() -> None:
    chart = parsed(histogram("Highest probability", np.array([0.0, 0.52, 0.54, 0.99, 1.0, 1.0]), "p"))
    described = chart.find(".//desc")
    assert described is not None
    assert described.text == "0.00 to 0.05: 1; 0.50 to 0.55: 2; 0.95 to 1.00: 3"
    assert [bar["height"] for bar in rects(chart, "s0")] == ["47", "93", "140"]


def test_heat_map_colours_and_tips() -> None:
    shares = np.array([[np.nan, 0.5], [1.0, np.nan]])
    chart = parsed(heat_map("Overlap", ["a", "b"], shares, [["aa", "ab <"], ["ba", "bb"]], "note"))
    squares = [node for node in chart.iter("rect") if node.attrib["class"] == "heat"]
    assert [square.attrib["fill-opacity"] for square in squares] == ["0", "0.500", "1.000", "0"]
    assert [square[0].text for square in squares] == ["aa", "ab <", "ba", "bb"]
    described = chart.find(".//desc")
    assert described is not None
    assert described.text == "2 by 2; ba; ab <"


def test_every_chart_is_an_image_with_a_title_first() -> None:
    charts = [
        bars("T", ["a"], [Series("s", np.array([0.5]), ["x"])]),
        histogram("T", np.array([0.5]), "p"),
        heat_map("T", ["a"], np.array([[0.5]]), [["x"]]),
    ]
    for markup in charts:
        (svg,) = [node for node in parsed(markup).iter("svg") if "role" in node.attrib]
        assert (svg.attrib["role"], svg[0].tag, svg[0].text, svg[1].tag) == ("img", "title", "T", "desc")


def test_a_glyph_draws_its_interval_and_nothing_for_nan() -> None:
    glyph = parsed(interval_glyph(0.5, 0.25, 0.75, "0.5 [0.25, 0.75]"))
    assert glyph[0].text == "0.5 [0.25, 0.75]"
    assert [(n.attrib["x1"], n.attrib["x2"]) for n in glyph.iter("line")][-1] == ("26.0", "74.0")
    assert interval_glyph(float("nan"), 0, 1, "") == ""


def test_long_names_are_cut_and_told_in_full() -> None:
    chart = parsed(bars("T", ["n" * 100], [Series("s", np.array([0.5]), ["x"])]))
    (text,) = [node for node in chart.iter("text") if node.attrib["class"] == "name"]
    assert text[0].text == "n" * 100
    assert text[0].tail == "n" * 43 + "…"
