"""One self-contained HTML page: no network, and no script but its own, which the page's policy names."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from adaptml.reports.html import Html, element, joined, tag
from adaptml.reports.rows import Limits

MAX_BYTES = 9_000_000
# What a page gives up first where it would be too large: the ends of long texts, then rows.
LIMITS = [Limits(), Limits(chars=200), Limits(100, 200), Limits(50, 200), Limits(20, 200), Limits(10, 100)]


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading; one without content is left out."""

    anchor: str
    heading: str
    content: Sequence[Html | None]


def page(title: str, subtitle: str, sections: Sequence[Section], data: Html | None = None) -> str:
    """The whole page as text, to be written as UTF-8.

    Args:
        title: the first heading, and the name of the browser's tab.
        subtitle: one line below it.
        sections: in order.
        data: the rows, from `Rows.data`.
    """
    style, script = _resource("page.css"), _resource("page.js")
    shown = [section for section in sections if any(section.content)]
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(style)),
    )
    top = element("header", element("h1", title), element("p", subtitle, class_="quiet"))
    parts = (_section(section) for section in shown)
    body = element(
        "body", top, _contents(shown), element("main", *parts), data, element("script", Html(script))
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def fitting(render: Callable[[Limits], str]) -> str:
    """The page with as many rows and as much of their texts as fit into 9 MB."""
    text = ""
    for limits in LIMITS:
        text = render(limits)
        if len(text.encode()) <= MAX_BYTES:
            break
    return text


def facts(lines: Sequence[tuple[str, str]]) -> Html | None:
    """Names and sentences, as a command prints them."""
    if not lines:
        return None
    return element("dl", joined(element("div", element("dt", n), element("dd", t)) for n, t in lines))


def warnings_list(warnings: Sequence[str]) -> Html | None:
    """Sentences on what looks wrong."""
    if not warnings:
        return None
    return element("ul", *(element("li", sentence) for sentence in warnings), class_="warnings")


def paragraph(*parts: object) -> Html:
    """A remark below a heading."""
    return element("p", *parts, class_="quiet")


def folded(summary: object, *content: object, anchor: str | None = None) -> Html:
    """Content that opens on a click."""
    return element("details", element("summary", summary), *content, id=anchor)


def _section(section: Section) -> Html:
    heading = element("h2", section.heading)
    return element("section", heading, *section.content, id=section.anchor)


def _contents(sections: Sequence[Section]) -> Html:
    links = (element("li", element("a", s.heading, href=f"#{s.anchor}")) for s in sections)
    return element("nav", element("ul", *links), aria_label="Parts of this page")


@cache
def _resource(name: str) -> str:
    return files("adaptml.reports").joinpath(name).read_text(encoding="utf-8")


def _source(code: str) -> str:
    """How a content security policy names exactly this code."""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return f"'sha256-{digest}'"
