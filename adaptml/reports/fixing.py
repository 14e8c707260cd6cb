"""What to fix next as tables: labels that look wrong, near-duplicates, slices on which the model is weak."""

from collections.abc import Sequence

import pandas as pd

from adaptml.fixing.result import GOLD, TRAINING, Duplicate, Key, Names, Suspect, ToFix, WeakSlice
from adaptml.frames import KEYS
from adaptml.reports.charts import interval_glyph
from adaptml.reports.html import Cell, Column, Html, element, joined, number, table
from adaptml.reports.page import paragraph
from adaptml.reports.texts import Texts

SHOWN = 20  # rows of each table; the page of the project and the run's file have more
MOST_CHARS = 200
WHOSE = {GOLD: "Gold labels that look wrong", TRAINING: "Labels of the label model that look wrong"}


def fixing_section(found: ToFix, texts: Texts | None) -> list[Html | None]:
    """Content of a section.

    Args:
        found: what to fix.
        texts: of the points; None leaves them out.
    """
    said = found.n_suspects or {}
    parts: list[Html | None] = [paragraph("; ".join(found.sentences), ".")]
    for source, heading in WHOSE.items():
        suspects = [one for one in found.suspects if one.source == source][:SHOWN]
        parts.append(_suspects(heading, suspects, said.get(source, 0), texts) if suspects else None)
    twice = found.duplicates
    if twice is not None and twice.pairs:
        parts.append(_duplicates(twice.pairs[:SHOWN], twice.n_pairs, twice.distance, texts))
    if found.slices:
        parts.append(_slices(found.slices[:SHOWN], len(found.slices), found.measure))
    return parts


def _suspects(heading: str, suspects: Sequence[Suspect], n: int, texts: Texts | None) -> Html:
    columns = [
        Column("Point", numeric=False),
        Column("Labelled", numeric=False),
        Column("Rather", numeric=False),
        Column("Fits", help="how well its label fits, from 0 to 1: the normalised margin"),
        Column("Why", numeric=False),
    ]
    shown = _points([(one.table_name, one.id) for one in suspects], texts)
    lines = [
        [point, _names(one.label), _names(one.suggested), number(one.score, f"{one.score:.3f}"), one.why]
        for point, one in zip(shown, suspects, strict=True)
    ]
    return table(columns, lines, caption=f"{heading}: {_of(len(suspects), n)}, the most suspicious first")


def _duplicates(pairs: Sequence[Duplicate], n: int, distance: float, texts: Texts | None) -> Html:
    columns = [
        Column("Gold point", numeric=False),
        Column("Labelled", numeric=False),
        Column("Near-duplicate", numeric=False),
        Column("Of", numeric=False),
        Column("Labelled", numeric=False),
        Column("Cosine"),
    ]
    ours = _points([(one.table_name, one.id) for one in pairs], texts)
    theirs = _points([(one.other_table, one.other_id) for one in pairs], texts)
    lines = [
        [
            mine, _names(one.label), other, one.source, _names(one.other_label),
            number(one.cosine, f"{one.cosine:.3f}"),
        ]
        for mine, other, one in zip(ours, theirs, pairs, strict=True)
    ]  # fmt: skip
    caption = (
        f"Near-duplicates of gold points (cosine of at least {1 - distance:.3f}): {_of(len(pairs), n)}, "
        "those with different labels first"
    )
    return table(columns, lines, caption=caption)


def _slices(slices: Sequence[WeakSlice], n: int, measure: str) -> Html:
    columns = [
        Column("Gold points of which", numeric=False),
        Column("Points"),
        Column(measure, help="with its 95 % interval"),
        Column("The rest"),
        Column("More than chance", numeric=False, help="q of Benjamini and Hochberg over all slices"),
    ]
    lines = [
        [
            one.name,
            number(one.n),
            Cell(
                joined(
                    [
                        interval_glyph(one.value, one.low, one.high, f"{one.low:.3f} to {one.high:.3f}"),
                        f" {one.value:.3f}",
                        f" ({one.measure})" if one.measure not in ("", measure) else "",
                    ]
                ),
                one.value,
            ),
            number(one.rest, f"{one.rest:.3f}"),
            f"{'yes' if one.clear else 'may be chance'} (q {one.q:.2g})",
        ]
        for one in slices
    ]
    return table(columns, lines, caption=f"Slices below the rest: {_of(len(slices), n)}, the surest first")


def _of(shown: int, n: int) -> str:
    return f"{n:,}" if shown == n else f"{shown:,} of {n:,}"


def _names(names: Names) -> str:
    return ", ".join(names) or "none"


def _points(keys: Sequence[Key], texts: Texts | None) -> list[Html]:
    """Points with what people see of them."""
    frame = pd.DataFrame(list(keys), columns=KEYS, dtype=str)
    rows = [None] * len(keys) if texts is None else texts.of(frame, MOST_CHARS)
    found = []
    for (name, key), row in zip(keys, rows, strict=True):
        cells = [cell[0] + "…" if isinstance(cell, list) else cell for cell in row or [] if cell is not None]
        seen = [element("div", cell, class_="text", dir="auto") for cell in cells]
        found.append(joined([*seen, element("div", element("span", f"{name}/{key}"), class_="key")]))
    return found
