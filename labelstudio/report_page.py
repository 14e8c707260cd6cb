"""The page on the agreement of annotators: the verdict, where they differ, the disputed points' texts."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from adaptml.frames import KEYS
from adaptml.reports.html import Column, Html, element, number, table
from adaptml.reports.page import Section, facts, fitting, folded, page, paragraph, warnings_list
from adaptml.reports.rows import MAX_ROWS, Bucket, Limits, Points, Rows, Words, about, link
from adaptml.reports.texts import ReadTexts, Texts
from labelstudio.ability import TELLING, TOO_FEW
from labelstudio.agreement import Agreement
from labelstudio.agreement_report import MEASURES
from labelstudio.alpha import Alpha
from labelstudio.breakdown import DisputedPoint
from labelstudio.precision import precision_lines
from labelstudio.verdict import RELIABLE, TENTATIVE

DISPUTED = "disputed"
MOST_PAIRS = 20
WORST = "the most disputed ones"


def agreement_report_page(
    found: Agreement, *, read_texts: ReadTexts | None = None, lines: Sequence[tuple[str, str]] = ()
) -> str:
    """One self-contained HTML page on the agreement of annotators.

    Args:
        found: what was measured; its disputed points go from the worst on, and the first 200 of each kind
            are shown.
        read_texts: reads what annotators see of some points: a frame of `table_name` and `id` in, these and
            one column per text out. None leaves texts out.
        lines: further names and sentences that the command printed.

    Returns:
        The page, under 10 MB, to be written as UTF-8.
    """
    people = [annotator.name for annotator in found.annotators]
    sets = _label_sets(found.disputed)
    points = {DISPUTED: _points(found.disputed, people, sets)}
    words = Words(people, sets, votes_heading="What annotators said", judged=False)
    texts = None if read_texts is None else Texts(read_texts)

    def render(limits: Limits) -> str:
        rows = Rows(points, words, texts, limits, found.seed)
        sections = [
            Section("summary", "Verdict", _verdict(found, lines)),
            Section("points", "Disputed points", _disputed(found, rows)),
            Section("classes", "Classes", _classes(found, rows)),
            Section("exchanged", "Labels that annotators exchange", _exchanged(found, rows)),
            Section("annotators", "Annotators", [_annotators(found), *_abilities(found), _pairs(found)]),
            Section(
                "about", "About this page", [about(limits, read_texts is not None, f"chosen as {WORST}")]
            ),
        ]
        return page(f"Agreement of annotators, task {found.task}", _subtitle(found), sections, rows.data())

    return fitting(render)


def said(label: Sequence[str]) -> str:
    """A label set as people read it.

    >>> said(["cat", "dog"]), said([])
    ('cat + dog', '(none)')
    """
    return " + ".join(label) or "(none)"


def _label_sets(points: Sequence[DisputedPoint]) -> list[str]:
    return sorted({said(label) for point in points for label in point.labels.values()})


def _points(points: Sequence[DisputedPoint], people: Sequence[str], sets: Sequence[str]) -> Points:
    votes = np.full((len(points), len(people)), -1, np.int64)
    person, place = ({name: i for i, name in enumerate(names)} for names in (people, sets))
    for row, point in enumerate(points):
        for name, label in point.labels.items():
            votes[row, person[name]] = place[said(label)]
    keys = pd.DataFrame([(point.table_name, point.id) for point in points], columns=KEYS, dtype=object)
    return Points(keys, votes)


def _subtitle(found: Agreement) -> str:
    return (
        f"{found.setting}; {found.compared:,} of {found.points:,} labelled points have two or more "
        f"annotators; {len(found.annotators)} annotators"
    )


def _verdict(found: Agreement, lines: Sequence[tuple[str, str]]) -> list[Html | None]:
    columns = [Column("Distance", numeric=False), Column("Alpha"), Column("95 % interval")]
    alphas = [[MEASURES[name], *_alpha(alpha)] for name, alpha in found.alphas.items()]
    warnings = [found.sample_warning] if found.sample_warning else []
    return [
        element("p", element("strong", f"{found.verdict.capitalize()}. "), found.reason),
        facts(lines),
        warnings_list(warnings),
        table(columns, alphas, caption="Krippendorff's alpha", sortable=False),
        *(paragraph(line) for line in precision_lines(found.precision)),
        paragraph(
            f"All numbers rest on the {found.compared:,} points with two or more annotators. "
            "Alpha is 1 for perfect agreement and 0 for what chance would give; labels are reliable from "
            f"{RELIABLE} on and allow tentative conclusions from {TENTATIVE} on. Intervals: percentile "
            f"bootstrap over points, {found.resamples:,} resamples, seed {found.seed}."
        ),
    ]


def _alpha(alpha: Alpha) -> tuple[object, object]:
    value = float("nan") if alpha.value is None else alpha.value
    shown = "undefined" if alpha.value is None else f"{value:.3f}"
    if alpha.low is None or alpha.high is None:
        return number(value, shown), "–"
    return number(value, shown), f"{alpha.low:.3f} to {alpha.high:.3f}"


def _bucket(found: Agreement, belongs: Callable[[DisputedPoint], bool]) -> Bucket:
    rows = [row for row, point in enumerate(found.disputed) if belongs(point)]
    return Bucket(DISPUTED, np.array(rows[:MAX_ROWS], np.int64), len(rows))


def _disputed(found: Agreement, rows: Rows) -> list[Html | None]:
    n = len(found.disputed)
    if not n:
        return [paragraph("No point is disputed.")]
    return [
        element("p", f"Annotators differ on {n:,} of {found.compared:,} points."),
        rows.bucket("disputed", "Disputed points, the worst first", _bucket(found, lambda _: True), WORST),
    ]


def _classes(found: Agreement, rows: Rows) -> list[Html | None]:
    columns = [
        Column("Class", numeric=False),
        Column("Alpha", help="over chosen or not chosen"),
        Column("95 % interval"),
        Column("Chosen on", help="points where anyone chose it"),
        Column("Disputed on", help="points where some chose it and some did not"),
    ]
    lines = [
        [c.name, *_alpha(c.alpha), number(c.chosen), number(c.disputed, link(f"class-{i}", c.disputed))]
        for i, c in enumerate(found.classes)
    ]
    buckets = [
        rows.bucket(
            f"class-{i}",
            f"{c.name}: chosen by some",
            _bucket(found, partial(_splits, c.name)),
            WORST,
        )
        for i, c in enumerate(found.classes)
        if c.disputed
    ]
    made = table(columns, lines, caption="Each class, chosen or not")
    return [made, folded("Rows of each class", *buckets) if buckets else None]


def _splits(name: str, point: DisputedPoint) -> bool:
    """Whether some chose the class on the point and some did not."""
    return len({name in label for label in point.labels.values()}) == 2


def _exchanged(found: Agreement, rows: Rows) -> list[Html | None]:
    pairs = found.confusions[:MOST_PAIRS]
    if not pairs:
        return []
    columns = [Column("One said", numeric=False), Column("Another said", numeric=False), Column("Points")]
    lines: list[list[object]] = []
    buckets = []
    for i, pair in enumerate(pairs):
        one, other = map(said, pair.labels)
        lines.append([one, other, number(pair.points, link(f"pair-{i}", pair.points))])
        bucket = _bucket(found, partial(_meet, {one, other}))
        buckets.append(rows.bucket(f"pair-{i}", f"{one} | {other}", bucket, WORST))
    shown = f"The {len(pairs)} most frequent of {len(found.confusions)}"
    caption = shown if len(pairs) < len(found.confusions) else "The most frequent first"
    return [table(columns, lines, caption=caption), folded("Rows of each exchange", *buckets)]


def _meet(sides: set[str], point: DisputedPoint) -> bool:
    """Whether all of the label sets were given to the point."""
    return sides <= {said(label) for label in point.labels.values()}


def _annotators(found: Agreement) -> Html:
    columns = [
        Column("Annotator", numeric=False),
        Column("Points", help="shared with at least one other"),
        Column("Same labels", help="share of the others who gave the same labels, averaged over points"),
        Column("Alpha", help="over this annotator's labels"),
        Column("Alpha without", help="of the others when this annotator is left out"),
    ]
    lines = [
        [a.name, number(a.points), _share(a.agreement), _number(a.alpha), _number(a.alpha_without)]
        for a in found.annotators
    ]
    return table(columns, lines, caption="Each annotator against the rest")


def _abilities(found: Agreement) -> list[Html | None]:
    columns = [
        Column("Annotator", numeric=False),
        Column("Points", help="that this annotator labelled"),
        Column("Right", help="estimated by Dawid and Skene's model"),
        Column("95 % interval"),
    ]
    lines = [
        [a.name, number(a.points), _share(a.value), f"{a.low:.1%} to {a.high:.1%}"] for a in found.abilities
    ]
    about = "" if found.measure == "nominal" else " about a class"
    made = table(columns, lines, caption=f"How often each annotator is right{about}")
    return [made, paragraph(TOO_FEW) if len(found.abilities) < TELLING else None]


def _pairs(found: Agreement) -> Html:
    pairs = found.pairs[:MOST_PAIRS]
    columns = [Column("Annotators", numeric=False), Column("Points"), Column("Same labels"), Column("Alpha")]
    lines = [
        [" and ".join(p.annotators), number(p.points), _share(p.agreement), _number(p.alpha)] for p in pairs
    ]
    shown = f"The first {len(pairs)} of {len(found.pairs)} pairs, those that agree least"
    return table(columns, lines, caption=shown if len(pairs) < len(found.pairs) else "Pairs of annotators")


def _number(value: float | None) -> object:
    return number(float("nan")) if value is None else number(value, f"{value:.3f}")


def _share(value: float | None) -> object:
    return number(float("nan")) if value is None else number(value, f"{value:.1%}")
