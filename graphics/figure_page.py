"""Figures of lettered panels, laid out by a browser: parts of a page, and the picture of one."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Browser

WIDTH_PX, SCALE, COLOURS = 1000, 1.5, 128
CHIPS = ("#dbe9f6", "#fbe3cc", "#d9efdc", "#e9def2", "#f8d9dc")
DARK = ("#1f5c99", "#a85a12", "#2f7a3d", "#6d4a94", "#a8323e")
STYLE = """
* { box-sizing: border-box }
body { margin: 0; padding: 18px; width: 1000px; background: #fff; color: #1d2b36;
  font: 15px/1.4 "DejaVu Sans", sans-serif }
h1 { font-size: 21px; margin: 0 0 12px }
main { display: grid; grid-template-columns: repeat(12, 1fr); gap: 14px }
section { border: 1px solid #c9d4da; border-radius: 6px; padding: 12px 14px; min-width: 0 }
h2 { font-size: 16px; margin: 0 0 8px; color: #0f6b75 }
h2 b { background: #0f6b75; color: #fff; border-radius: 4px; padding: 1px 7px; margin-right: 8px }
p { margin: 8px 0 0; color: #4b5b67; font-size: 14px }
table { border-collapse: collapse; width: 100% }
th { text-align: left; color: #4b5b67; font-size: 14px; border-bottom: 1px solid #8fa3b0;
  padding: 3px 8px 3px 0 }
td { border-bottom: 1px solid #e3e9ec; padding: 4px 8px 4px 0; vertical-align: top }
tr.strong td { background: #fdf3d8 }
td.number, th.number { text-align: right }
pre, code { font: 14px/1.4 "DejaVu Sans Mono", monospace }
pre { margin: 0; white-space: pre-wrap; background: #f3f6f7; border-radius: 4px; padding: 8px 10px;
  overflow-wrap: anywhere }
pre + pre, pre + table { margin-top: 8px }
.chip { display: inline-block; border-radius: 9px; padding: 0 8px; margin-right: 4px; font-size: 14px }
.none { color: #6b7984 }
.matrix td { text-align: center; border: 2px solid #fff; padding: 5px 2px }
"""


@dataclass(frozen=True)
class Panel:
    """One lettered part of a figure.

    Attributes:
        letter: the number of the step and a letter, as 1a; the documents refer to it.
        title: what is seen, in a few words.
        body: HTML.
        note: a sentence below, plain text.
        width: columns of twelve.
    """

    letter: str
    title: str
    body: str
    note: str = ""
    width: int = 12

    def html(self) -> str:
        """The panel as a part of the page."""
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        heading = f"<h2><b>{self.letter}</b>{escape(self.title)}</h2>"
        return f'<section style="grid-column: span {self.width}">{heading}{self.body}{note}</section>'


def page(title: str, panels: Iterable[Panel]) -> str:
    """A whole figure as HTML."""
    parts = "".join(panel.html() for panel in panels)
    head = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><h1>{escape(title)}</h1>"
    return f"{head}<main>{parts}</main>"


def picture(browser: Browser, html: str, path: Path) -> None:
    """Write a page as PNG, with few colours, since text and flat areas need no more."""
    context = browser.new_context(viewport={"width": WIDTH_PX, "height": 400}, device_scale_factor=SCALE)
    tab = context.new_page()
    tab.set_content(html)
    shot = Image.open(BytesIO(tab.screenshot(full_page=True, animations="disabled"))).convert("RGB")
    context.close()
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, strong: Iterable[int] = ()) -> str:
    """A table of cells in HTML; a heading that ends in `#` is of numbers, rows `strong` are highlighted."""
    kinds = [' class="number"' if name.endswith("#") else "" for name in head]
    top = "".join(
        f"<th{kind}>{escape(name.rstrip('#'))}</th>" for kind, name in zip(kinds, head, strict=True)
    )
    marked = set(strong)
    body = "".join(
        f"<tr{' class=strong' if i in marked else ''}>"
        + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for i, row in enumerate(rows)
    )
    heading = f"<tr>{top}</tr>" if any(head) else ""
    return f"<table>{heading}{body}</table>"


def code(text: str) -> str:
    """Text as it is typed or printed."""
    return f"<pre>{escape(text)}</pre>"


def chips(labels: Iterable[str], classes: Sequence[str], *, text: str = "") -> str:
    """Class names, each in its colour, or another text in that colour; no class at all says so."""
    colours = {name: CHIPS[i % len(CHIPS)] for i, name in enumerate(classes)}
    shown = [
        f'<span class="chip" style="background:{colours[name]}">{escape(text or name)}</span>'
        for name in labels
    ]
    return "".join(shown) or '<span class="none">none</span>'


def bars(values: Sequence[tuple[str, float]], classes: Sequence[str]) -> str:
    """A bar for each class, of a value from 0 to 1."""
    width = 230
    rows = []
    for name, value in values:
        style = f"height:14px;width:{value * width:.0f}px;background:{DARK[classes.index(name) % len(DARK)]}"
        whole = f"width:{width}px;margin-top:4px;background:#e8edef"
        bar = f'<div style="{whole}"><div style="{style}"></div></div>'
        rows.append([escape(name), bar, f"{value:.3f}"])
    return table(["", "", ""], rows)


def intervals(rows: Sequence[tuple[str, float, float, float]], marks: Sequence[float]) -> str:
    """A point with its interval for each name, on a line from 0 to 1 with marks."""
    width = 480
    ticks = "".join(
        f'<path d="M{mark * width} 0v22" stroke="#b9c4ca" stroke-dasharray="3 2"/>' for mark in marks
    )
    lines = []
    for name, value, low, high in rows:
        interval = f'<path d="M{low * width} 11H{high * width}" stroke="#8fb8bd" stroke-width="6"/>'
        point = f'<circle cx="{value * width}" cy="11" r="6" fill="#0f6b75"/>'
        svg = f'<svg width="{width}" height="22">{ticks}{interval}{point}</svg>'
        lines.append([escape(name), svg, f"{value:.3f}", f"{low:.3f} to {high:.3f}"])
    return table(["", "alpha", "#", "95 % interval"], lines)


def strip(vector: "np.ndarray[tuple[int], np.dtype[np.float32]]", cells: int) -> str:
    """The last numbers of a vector as coloured cells, 3 px each: blue below 0, orange above."""
    shown = vector[-cells:]
    top = float(np.abs(shown).max()) or 1.0
    parts = []
    for i, number in enumerate(shown):
        share = abs(float(number)) / top
        red, green, blue = (31, 92, 153) if number < 0 else (200, 110, 30)
        mixed = [round(255 - share * (255 - c)) for c in (red, green, blue)]
        parts.append(
            f'<rect x="{i * 3}" width="3" height="20" fill="rgb({mixed[0]},{mixed[1]},{mixed[2]})"/>'
        )
    return f'<svg width="{cells * 3}" height="20" style="border:1px solid #c9d4da">{"".join(parts)}</svg>'


def matrix(counts: pd.DataFrame) -> str:
    """A confusion matrix: rows are gold, columns are predictions; both have the classes' names."""
    head = "".join(f"<td><small>{escape(str(name))}</small></td>" for name in counts.columns)
    top = int(counts.to_numpy().max())
    rows = ""
    for name, line in zip(counts.index, counts.to_numpy(), strict=True):
        cells = "".join(
            f'<td style="background:rgba(15,107,117,{0.06 + 0.6 * int(n) / top if n else 0.03:.2f})">{n}</td>'
            for n in line
        )
        rows += f"<tr><td><small>{escape(str(name))}</small></td>{cells}</tr>"
    return f'<table class="matrix"><tr><td><small>gold \\ predicted</small></td>{head}</tr>{rows}</table>'


def cropped(path: Path, width_px: int, height_px: int, shown_px: int) -> str:
    """The upper left part of a picture, `shown_px` wide on the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    factor = shown_px / width_px
    with Image.open(path) as whole:
        size = whole.width * factor
    box = f"width:{shown_px}px;height:{height_px * factor:.0f}px;overflow:hidden;border:1px solid #c9d4da"
    return f'<div style="{box}"><img style="width:{size:.0f}px" src="data:image/png;base64,{data}"></div>'
