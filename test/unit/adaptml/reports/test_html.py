"""Whatever is not made by `element` is text, and comes out as text."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from adaptml.reports.html import Cell, Column, Html, element, number, table, tag


class Seen(HTMLParser):
    """What a parser makes of markup: tags with attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_any_text_comes_back_as_text_and_any_attribute_as_attribute(text: str) -> None:
    seen = Seen(element("p", text, title=text))
    assert (seen.tags, seen.text, seen.attributes) == (["p"], text, [("title", text)])


def test_markup_stays_markup_and_none_is_nothing() -> None:
    assert element("p", element("b", "<"), None, "&") == "<p><b>&lt;</b>&amp;</p>"


def test_attribute_names_and_values() -> None:
    assert tag("meta", http_equiv="x", class_="y", hidden=True, id=None) == (
        '<meta http-equiv="x" class="y" hidden>'
    )


def test_a_lone_surrogate_does_not_stop_the_page_from_being_written() -> None:
    made = element("p", "a\ud800b", title="\udfff")
    assert made.encode() == b'<p title="?">a?b</p>'


def test_a_table_carries_what_numbers_are_sorted_by() -> None:
    columns = [Column("<LF>", numeric=False), Column("share")]
    made = table(columns, [["<b>", number(0.5, "50 %")], ["c", number(float("nan"))]], caption="&")
    assert "<b>" not in made
    assert "<LF>" not in made
    assert 'data-sort="0.5">50 %</td>' in made
    assert 'data-sort="-1e+300">–</td>' in made
    assert made.count("<button") == 2


def test_cells_may_hold_markup() -> None:
    made = table([Column("a")], [[Cell(Html("<i>1</i>"), 1)]], caption="", sortable=False)
    assert '<td class="num" data-sort="1"><i>1</i></td>' in made
    assert "<button" not in made
