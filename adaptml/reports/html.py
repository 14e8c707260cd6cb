"""HTML that is escaped by construction: text is text until it is an `Html`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

LOWEST = -1e300  # what a missing number is sorted by


class Html(str):
    """Markup that was made by `element` and goes into a page as it is."""

    __slots__ = ()


def clean(text: str) -> str:
    """The text with what cannot be written as UTF-8 (lone surrogates) as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def shortened(text: str, most_chars: int) -> str:
    """The text, cut with an ellipsis where it is longer than `most_chars`.

    >>> shortened("kittens", 4)
    'kit…'
    """
    return text if len(text) <= most_chars else text[: most_chars - 1] + "…"


def markup(part: object) -> Html:
    """Markup as it is; everything else as escaped text."""
    return part if isinstance(part, Html) else Html(escape(clean(str(part))))


def joined(parts: Iterable[object]) -> Html:
    """Parts one after the other; those that are no markup are escaped."""
    return Html("".join(markup(part) for part in parts))


def tag(name: str, /, **attributes: Any) -> Html:
    """An element without an end tag, such as `tag("meta", charset="utf-8")`; attributes as in `element`."""
    return Html(f"<{name}{_attributes(attributes)}>")


def element(name: str, /, *children: object, **attributes: Any) -> Html:
    """One element.

    Args:
        name: such as `p`.
        children: markup or anything that is text; None is left out.
        attributes: `_` is `-` and one at the end is dropped (`class_`); None is left out, True has no value.

    >>> element("a", "<b>", href="#x")
    '<a href="#x">&lt;b&gt;</a>'
    """
    inner = joined(child for child in children if child is not None)
    return Html(f"<{name}{_attributes(attributes)}>{inner}</{name}>")


def _attributes(given: dict[str, Any]) -> str:
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in given.items() if value is not None)
    return "".join(
        f" {key}" if value is True else f' {key}="{escape(clean(str(value)))}"' for key, value in named
    )


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what is shown, and for a number the value that rows are sorted by."""

    shown: object
    sort: float | None = None


def number(value: float, shown: object | None = None) -> Cell:
    """A cell that is sorted by its number; NaN is a dash."""
    if value != value:
        return Cell("–", LOWEST)
    return Cell(f"{value:,}" if shown is None else shown, value)


@dataclass(frozen=True)
class Column:
    """A heading, whether its cells are numbers, and a sentence on what they mean."""

    heading: str
    numeric: bool = True
    help: str | None = None


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[object]], *, caption: str, sortable: bool = True
) -> Html:
    """A table that scrolls sideways where it is too wide, and that a click on a heading sorts."""
    head = element("tr", *(_heading(column, sortable) for column in columns))
    body = (element("tr", *map(_cell, columns, row)) for row in rows)
    inner = joined(
        [element("caption", caption), element("thead", head), element("tbody", *body)],
    )
    name = "sortable" if sortable else None
    made = element("table", inner, class_=name)
    return element("div", made, class_="scroll", role="region", aria_label=caption, tabindex="0")


def _heading(column: Column, sortable: bool) -> Html:
    text = element("button", column.heading, type="button") if sortable else column.heading
    return element("th", text, scope="col", class_="num" if column.numeric else None, title=column.help)


def _cell(column: Column, content: object) -> Html:
    cell = content if isinstance(content, Cell) else Cell(content)
    sort = None if cell.sort is None else f"{cell.sort:.10g}"
    return element("td", cell.shown, class_="num" if column.numeric else None, data_sort=sort)
