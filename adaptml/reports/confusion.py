"""How labels compare with gold: per class with intervals, as a matrix, and the rows behind each number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.reports.charts import Series, bars, interval_glyph
from adaptml.reports.html import Cell, Column, Html, element, joined, number, table
from adaptml.reports.interval import wilson
from adaptml.reports.page import folded, paragraph
from adaptml.reports.rows import Bucket, Numbers, Rows, draw_masks, link

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
MOST_IN_MATRIX = 12
KINDS = ("missed", "wrongly", "right")


@dataclass(frozen=True)
class Confusion:
    """What was counted, and the rows that were drawn.

    Attributes:
        class_names: k names.
        multilabel: whether a point may have any number of classes.
        all_right: rows whose classes are all right.
        n: rows.
        counts: int64 (3, k): missed (gold has the class, the label does not), wrongly given, right.
        by_class: buckets of each of these, 3 × k.
        matrix: int64 (k, k), gold × label, for multiclass problems of at most 12 classes; else None.
        by_cell: buckets of the cells of the matrix by (gold, label), without empty ones.
    """

    class_names: Sequence[str]
    multilabel: bool
    all_right: int
    n: int
    counts: npt.NDArray[np.int64]
    by_class: Sequence[Sequence[Bucket]]
    matrix: npt.NDArray[np.int64] | None
    by_cell: Mapping[tuple[int, int], Bucket]


def confusion(
    name: str, gold: Indicator, label: Indicator, class_names: Sequence[str], multilabel: bool, order: Numbers
) -> Confusion:
    """Count and draw.

    Args:
        name: of the set of points in the page's rows.
        gold, label: (g, k), values in {0, 1}.
        class_names: k names.
        multilabel: whether a point may have any number of classes; else each row has exactly one 1.
        order: int64 (g,), from `random_order`.
    """
    is_gold, is_label = gold.astype(bool), label.astype(bool)
    masks = (is_gold & ~is_label, ~is_gold & is_label, is_gold & is_label)
    matrix, by_cell = None, {}
    if not multilabel and len(class_names) <= MOST_IN_MATRIX:
        matrix = gold.astype(np.int64).T @ label.astype(np.int64)
        cells = [(int(i), int(j)) for i, j in np.argwhere(matrix)]
        inside = [is_gold[:, i] & is_label[:, j] for i, j in cells]
        if cells:
            by_cell = dict(zip(cells, draw_masks(name, order, np.stack(inside, axis=1)), strict=True))
    return Confusion(
        class_names=class_names,
        multilabel=multilabel,
        all_right=int((is_gold == is_label).all(axis=1).sum()),
        n=len(gold),
        counts=np.stack([mask.sum(axis=0) for mask in masks]),
        by_class=[draw_masks(name, order, mask) for mask in masks],
        matrix=matrix,
        by_cell=by_cell,
    )


def gold_section(found: Confusion, rows: Rows, whose: str, policy: str = "") -> list[Html | None]:
    """Content of a section: the share of points that are right, a row per class, the matrix, the rows.

    Args:
        found: what was counted.
        rows: the rows of the page.
        whose: whose labels are compared, such as `the label model`.
        policy: a sentence on what is counted, or empty.
    """
    low, high = (float(bound) for bound in wilson(found.all_right, found.n))
    what = "have exactly their gold classes" if found.multilabel else "have their gold class"
    share = found.all_right / found.n if found.n else float("nan")
    sentence = (
        f"{found.all_right:,} of {found.n:,} gold points {what} by {whose}: {share:.3f} "
        f"(95 % interval {low:.3f} to {high:.3f}). "
    )
    return [
        element("p", sentence, policy),
        _class_table(found),
        paragraph(
            "Intervals are Wilson score intervals; the line in the middle of each is at one half. "
            "A number leads to its rows."
        ),
        _matrix(found),
        *_class_buckets(found, rows),
        _cell_buckets(found, rows),
    ]


def _class_table(found: Confusion) -> Html:
    columns = [
        Column("Class", numeric=False),
        Column("Gold points"),
        Column("Missed", help="gold has this class, the label does not"),
        Column("Wrongly given", help="the label has this class, gold does not"),
        Column("Right", help="both have this class"),
        Column("Precision", help="right among those that were given this class; 95 % interval"),
        Column("Recall", help="right among those that have this class in gold; 95 % interval"),
        Column("F1", help="harmonic mean of precision and recall"),
    ]
    lines = [_class_line(c, name, found.counts[:, c].tolist()) for c, name in enumerate(found.class_names)]
    return table(columns, lines, caption=f"By class, {found.n:,} gold points")


def _class_line(c: int, name: str, counts: Sequence[int]) -> list[object]:
    missed, wrongly, right = counts
    links = (number(n, link(f"class-{c}-{kind}", n)) for kind, n in zip(KINDS, counts, strict=True))
    whole = 2 * right + missed + wrongly
    f1 = 2 * right / whole if whole else float("nan")
    shares = share_cell(right, right + wrongly), share_cell(right, right + missed)
    return [name, number(right + missed), *links, *shares, number(f1, f"{f1:.3f}")]


def share_cell(right: int, of: int) -> Cell:
    """A share with its 95 % interval, drawn and as numbers; a dash where `of` is 0."""
    if not of:
        return number(float("nan"))
    low, high = (float(bound) for bound in wilson(right, of))
    text = f"{right / of:.3f} [{low:.3f}, {high:.3f}]"
    glyph = interval_glyph(right / of, low, high, text)
    return Cell(joined([glyph, " ", element("span", text, class_="share")]), right / of)


def _matrix(found: Confusion) -> Html | None:
    if found.matrix is None:
        return None
    columns = [Column("Gold ↓ / label →", numeric=False), *(Column(name) for name in found.class_names)]
    lines = []
    for i, name in enumerate(found.class_names):
        cells = [number(int(n), link(f"cell-{i}-{j}", int(n))) for j, n in enumerate(found.matrix[i])]
        cells[i] = Cell(element("span", cells[i].shown, class_="hit"), cells[i].sort)
        lines.append([name, *cells])
    made = table(columns, lines, caption="Counts of gold classes (rows) by labels (columns)", sortable=False)
    return element("div", element("h3", "Confusion"), made, class_="matrix")


def _class_buckets(found: Confusion, rows: Rows) -> list[Html]:
    titles = ("in gold, not in the label", "in the label, not in gold", "right")
    parts = [element("h3", "Rows by class")]
    for c, name in enumerate(found.class_names):
        buckets = [
            rows.bucket(f"class-{c}-{kind}", f"{name}: {title}", found.by_class[k][c])
            for k, (kind, title) in enumerate(zip(KINDS, titles, strict=True))
            if found.counts[k, c]
        ]
        wrong = int(found.counts[:2, c].sum())
        parts.append(
            folded(joined([name, " ", element("span", f"{wrong:,} wrong", class_="count")]), *buckets)
        )
    return parts


def _cell_buckets(found: Confusion, rows: Rows) -> Html | None:
    names = found.class_names
    buckets = [
        rows.bucket(f"cell-{i}-{j}", f"gold {names[i]}, label {names[j]}", bucket)
        for (i, j), bucket in found.by_cell.items()
    ]
    return folded("Rows by cell of the confusion table", *buckets) if buckets else None


def distribution(
    class_names: Sequence[str], kinds: Sequence[tuple[str, npt.NDArray[np.int64], int, bool]]
) -> Html | None:
    """The share of each class, one bar a kind of label.

    Args:
        class_names: k names.
        kinds: name, counts int64 (k,), number of points, and whether the points are a sample, whose shares
            get a 95 % interval. A kind without points is left out.
    """
    series = []
    for name, counts, n, sampled in kinds:
        if n:
            low, high = wilson(counts, np.full(len(counts), n)) if sampled else (None, None)
            texts = [f"{c:,} ({c / n:.1%})" for c in counts.tolist()]
            series.append(Series(f"{name}, {n:,} points", counts / n, texts, low, high))
    return bars("Share of points per class", class_names, series) if series else None


def metrics_table(metrics: Mapping[str, float]) -> Html | None:
    """All metrics, folded; None where there are none."""
    if not metrics:
        return None
    columns = [Column("Metric", numeric=False), Column("Value")]
    lines = [[name, number(value, f"{value:.6g}")] for name, value in sorted(metrics.items())]
    return folded(f"All {len(lines)} metrics", table(columns, lines, caption="As they were logged"))
