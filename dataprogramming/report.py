"""The page that a `label` run leaves: what each labelling function does, and the rows behind every number."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.calibration import reliability
from adaptml.reports.calibration import calibration_section
from adaptml.reports.charts import MOST_IN_HEAT_MAP, heat_map, histogram
from adaptml.reports.confusion import Confusion, confusion, distribution, gold_section, share_cell
from adaptml.reports.html import Column, Html, element, number, table
from adaptml.reports.page import Section, facts, fitting, folded, page, paragraph, warnings_list
from adaptml.reports.rows import (
    Bucket,
    Limits,
    Mask,
    Numbers,
    Points,
    Repeated,
    Rows,
    Words,
    about,
    draw,
    draw_masks,
    link,
    random_order,
)
from adaptml.reports.texts import ReadTexts, Texts
from adaptml.tasks import MULTICLASS, MULTILABEL
from adaptml.tasks.vote_codes import Sets, VoteCodes
from dataprogramming.keyword_counts import Hits
from dataprogramming.keywords_table import keywords_table
from dataprogramming.label_models.core import Floats, Gold, Indicator, LabelMatrix
from dataprogramming.lf_table import VoteCounts, count_pairs, count_votes, lf_table
from dataprogramming.models_table import models_table
from dataprogramming.on_gold import OnGold
from dataprogramming.patterns import CastVotes, VotePatterns

DATA, GOLD = "data", "gold"
ON_DATA, ON_GOLD = ("votes", "overlaps", "conflicts"), ("right", "wrong")


@dataclass(frozen=True)
class LabelledPoints:
    """n points that were labelled.

    Attributes:
        keys: `table_name` and `id`.
        cast: their votes: a label matrix (n, m), or its distinct rows (u, m).
        probs: float64 (n or u, k), probabilities; those of rows without votes are not shown.
        labels: (n or u, k), values in {0, 1}: the classes that the label model gives.
    """

    keys: pd.DataFrame
    cast: CastVotes
    probs: Floats
    labels: Indicator

    @cached_property
    def votes(self) -> VotePatterns:
        """The votes, of which each row has the probabilities and the labels of its number."""
        if isinstance(self.cast, VotePatterns):
            return self.cast
        return VotePatterns(self.cast, np.arange(len(self.cast), dtype=np.int32))


@dataclass(frozen=True)
class GoldPoints:
    """g points whose classes are known.

    Attributes:
        keys: `table_name` and `id`.
        L: label matrix (g, m).
        Y: gold classes (g, k), values in {0, 1}.
        probs, labels: as in `LabelledPoints`, by a label model that did not see the point's gold.
    """

    keys: pd.DataFrame
    L: LabelMatrix
    Y: Indicator
    probs: Floats
    labels: Indicator


def label_report(
    title: str,
    lf_names: Sequence[str],
    class_names: Sequence[str],
    points: LabelledPoints,
    gold: GoldPoints | None = None,
    *,
    multilabel: bool,
    sets: Sets = (),
    weights: Floats | None = None,
    read_texts: ReadTexts | None = None,
    lines: Sequence[tuple[str, str]] = (),
    warnings: Sequence[str] = (),
    seed: int = 0,
    counts: VoteCounts | None = None,
    keyword_hits: Hits | None = None,
    keyword_points: int = 0,
    on_gold: OnGold | None = None,
) -> str:
    """One self-contained HTML page on a labelling run.

    Args:
        title: such as `Labels of task example`.
        lf_names: m names.
        class_names: k names.
        points: the points to label.
        gold: points whose classes are known, or None.
        multilabel: whether a point may have any number of classes.
        sets: code k + i of a label matrix is a vote for one of the classes in sets[i].
        weights: float64 (m,), the learned weights, or None.
        read_texts: reads what annotators see of some points: a frame of `table_name` and `id` in, these and
            one column per text out. Only the rows that the page shows are asked for. None leaves texts out.
        lines: names and sentences that the command printed.
        warnings: what looks wrong, one sentence each.
        seed: the same inputs and seed give the same page.
        counts: of the votes on `points`, where they were counted already.
        keyword_hits: name of a keyword LF → keyword → in how many of `keyword_points` points it is.
        keyword_points: how many points keywords were counted on.
        on_gold: how good each label model is on gold, or None.

    Returns:
        The page, under 10 MB, to be written as UTF-8.
    """
    codes = VoteCodes(len(class_names), sets)
    counts = counts or count_votes(points.votes, codes)
    found = _count(class_names, points, gold, multilabel, seed, counts, codes)
    summary = lf_table(
        points.votes,
        lf_names,
        class_names,
        sets,
        weights=weights,
        gold=None if gold is None else Gold(gold.L, gold.Y),
        counts=counts,
    )
    fits = [np.flatnonzero(line).tolist() for line in codes.members[:-1]] if sets else []
    words = Words(lf_names, codes.names(class_names), class_names, fits=fits)
    texts = None if read_texts is None else Texts(read_texts)
    problem = MULTILABEL if multilabel else MULTICLASS
    believed = None if gold is None else reliability(problem, class_names, gold.Y, gold.probs)

    def render(limits: Limits) -> str:
        """The page within limits of rows a bucket and characters a text."""
        rows = Rows(found.shown, words, texts, limits, seed)
        sections = [
            Section("summary", "Summary", [facts(lines), warnings_list(warnings)]),
            Section(
                "lfs",
                "Labelling functions",
                [
                    *_lf_section(summary, found, rows, multilabel),
                    keywords_table(keyword_hits or {}, keyword_points),
                ],
            ),
            Section("votes", "Where votes are missing or differ", _vote_section(found, rows, multilabel)),
            Section("labels", "Labels", _label_section(class_names, points, gold, found)),
            Section("models", "Label models", [] if on_gold is None else models_table(on_gold)),
            Section("gold", "Against gold", _gold_section(found, rows)),
            Section("calibration", "Calibration", calibration_section(believed)),
            Section("overlaps", "Overlaps", [_overlap_map(lf_names, found)]),
            Section(
                "about",
                "About this page",
                [about(limits, read_texts is not None, f"drawn at random with seed {seed}")],
            ),
        ]
        return page(title, _subtitle(found, len(lf_names), len(class_names)), sections, rows.data())

    return fitting(render)


@dataclass(frozen=True)
class _Found:
    """All counts and draws; rendering adds nothing to them.

    Attributes:
        shown: the sets of points by name.
        counts: of votes.
        pairs: rows on which two LFs both vote, and differ: int64 (m, m) each.
        of_lf: buckets by kind (`votes`, … `wrong`), one per LF.
        uncovered, disagreements: buckets.
        gold: the labels against gold, or None.
    """

    shown: dict[str, Points]
    counts: VoteCounts
    pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    of_lf: dict[str, list[Bucket]]
    uncovered: Bucket
    disagreements: Bucket
    gold: Confusion | None


def _count(
    class_names: Sequence[str],
    points: LabelledPoints,
    gold: GoldPoints | None,
    multilabel: bool,
    seed: int,
    counts: VoteCounts,
    codes: VoteCodes,
) -> _Found:
    votes = points.votes
    rows, labels, probs, has_votes = (
        Repeated(of_each, votes.which) for of_each in (votes.rows, points.labels, points.probs, votes.covered)
    )
    shown = {DATA: Points(points.keys, rows, labels, probs, has_label=has_votes)}
    m = votes.rows.shape[1]
    totals = [*counts.votes, *counts.overlaps, *counts.conflicts, counts.uncovered, counts.disagreements]
    drawn = draw(DATA, random_order(counts.n, seed), lambda some: _vote_masks(rows[some], codes), totals)
    of_lf = {kind: drawn[i * m : (i + 1) * m] for i, kind in enumerate(ON_DATA)}
    compared = None
    if gold is not None:
        shown[GOLD] = Points(gold.keys, gold.L, gold.labels, gold.probs, gold.Y)
        order = random_order(len(gold.L), seed)
        compared = confusion(GOLD, gold.Y, gold.labels, class_names, multilabel, order)
        of_lf |= _judged(gold, order, codes)
    pairs = count_pairs(votes, counts.by_code, codes)
    return _Found(shown, counts, pairs, of_lf, drawn[-2], drawn[-1], compared)


def _vote_masks(L: LabelMatrix, codes: VoteCodes) -> Mask:
    """Of c rows: m masks each of votes, overlaps and conflicts; uncovered; disagreeing: (c, 3 m + 2)."""
    votes, apart = L >= 0, codes.disagree(L)[:, None]
    cast = votes.sum(axis=1)[:, None]
    return np.hstack([votes, votes & (cast > 1), votes & apart, cast == 0, apart])


def _judged(gold: GoldPoints, order: Numbers, codes: VoteCodes) -> dict[str, list[Bucket]]:
    votes, right = gold.L >= 0, codes.right(gold.L, gold.Y)
    return {
        "right": draw_masks(GOLD, order, right),
        "wrong": draw_masks(GOLD, order, votes & ~right),
    }


def _subtitle(found: _Found, m: int, k: int) -> str:
    gold = "no gold points" if found.gold is None else f"{found.gold.n:,} gold points"
    return f"{found.counts.n:,} data points, {m} labelling functions, {k} classes, {gold}"


def _lf_section(summary: pd.DataFrame, found: _Found, rows: Rows, multilabel: bool) -> list[Html | None]:
    both = "; in a multilabel task both may be right" if multilabel else ""
    return [
        paragraph(
            "Coverage: share of rows on which the function votes. Overlaps: it votes and another does too. "
            f"Conflicts: it votes where two votes are for different classes{both}. "
            "A number leads to its rows, a heading sorts."
        ),
        table(_lf_columns(summary), _lf_lines(summary), caption=f"{len(summary)} labelling functions"),
        element("h3", "Rows of each labelling function"),
        *(_lf_rows(str(name), j, found, rows) for j, name in enumerate(summary["lf"])),
    ]


def _lf_columns(summary: pd.DataFrame) -> list[Column]:
    columns = [
        Column("LF", numeric=False),
        Column("Votes for", numeric=False),
        Column("Coverage", help="share of rows on which it votes"),
        Column("Overlaps", help="share of rows on which it votes and another does too"),
        Column("Conflicts", help="share of rows on which it votes and two votes differ"),
    ]
    if "correct" in summary:
        columns += [
            Column("Right", help="votes on gold for a class that the point has"),
            Column("Wrong", help="votes on gold for a class that the point does not have"),
            Column("Accuracy on gold", help="right among its votes on gold, with the 95 % Wilson interval"),
        ]
    return columns + ([Column("Weight", help="learned")] if "learned_weight" in summary else [])


def _lf_lines(summary: pd.DataFrame) -> list[list[object]]:
    return [_lf_line(j, row) for j, (_, row) in enumerate(summary.iterrows())]


def _lf_line(j: int, row: "pd.Series[float]") -> list[object]:
    counts = zip(ON_DATA, ("votes", "n_overlaps", "n_conflicts"), ON_DATA_SHARES, strict=True)
    line: list[object] = [row["lf"], row["polarity"] or "–"]
    for kind, count, share in counts:
        line.append(number(row[share], link(f"lf-{j}-{kind}", int(row[count]), f"{row[share]:.1%}")))
    if "correct" in row:
        right, wrong = int(row["correct"]), int(row["incorrect"])
        line.append(number(right, link(f"lf-{j}-right", right)))
        line.append(number(wrong, link(f"lf-{j}-wrong", wrong)))
        line.append(share_cell(right, right + wrong))
    if "learned_weight" in row:
        line.append(number(row["learned_weight"], f"{row['learned_weight']:.2f}"))
    return line


ON_DATA_SHARES = ("coverage", "overlaps", "conflicts")
TITLES = {
    "wrong": "wrong on gold",
    "conflicts": "rows with conflicting votes",
    "votes": "rows it votes on",
    "overlaps": "rows on which another votes too",
    "right": "right on gold",
}


def _lf_rows(name: str, j: int, found: _Found, rows: Rows) -> Html:
    buckets = [
        rows.bucket(f"lf-{j}-{kind}", f"{name}: {title}", found.of_lf[kind][j])
        for kind, title in TITLES.items()
        if kind in found.of_lf and found.of_lf[kind][j].total
    ]
    return folded(name, *(buckets or [paragraph("No rows: it never votes.")]))


def _vote_section(found: _Found, rows: Rows, multilabel: bool) -> list[Html | None]:
    n = max(found.counts.n, 1)
    parts = [
        (
            "uncovered",
            found.uncovered,
            "no labelling function votes on them; they are left out of the training data",
            "Rows without votes",
        ),
        (
            "disagreements",
            found.disagreements,
            "labelling functions vote for different classes"
            + (", which in a multilabel task may all be right" if multilabel else ""),
            "Rows with votes for different classes",
        ),
    ]
    content: list[Html | None] = []
    for anchor, bucket, what, title in parts:
        unit = "row" if bucket.total == 1 else "rows"
        content.append(element("p", f"{bucket.total:,} {unit} ({bucket.total / n:.1%}): {what}."))
        if bucket.total:
            content.append(rows.bucket(anchor, title, bucket))
    return content


def _label_section(
    class_names: Sequence[str], points: LabelledPoints, gold: GoldPoints | None, found: _Found
) -> list[Html | None]:
    rows = points.votes.covered
    times, n = points.votes.counts[rows], found.counts.n - found.counts.uncovered
    kinds = [("labels", times @ points.labels[rows], n, False)]
    if gold is not None:
        kinds.append(("gold", gold.Y.sum(axis=0, dtype=np.int64), len(gold.Y), True))
    note = "Rows without votes are not counted."
    if gold is not None:
        note += " The line on a bar of gold is the 95 % interval of the share, if gold was drawn at random."
    probs = np.repeat(points.probs.max(axis=1)[rows], times)
    return [
        paragraph(note),
        distribution(class_names, kinds),
        histogram("Highest probability of each row", probs, "highest probability") if n else None,
    ]


def _gold_section(found: _Found, rows: Rows) -> list[Html | None]:
    if found.gold is None:
        return []
    policy = "Each was labelled without its own gold label; points without votes count too."
    return gold_section(found.gold, rows, "the label model", policy)


def _overlap_map(lf_names: Sequence[str], found: _Found) -> Html | None:
    together, apart = found.pairs
    if len(lf_names) < 2:
        return None
    votes = np.diag(together)
    busiest = np.argsort(-(together.sum(axis=1) - votes), kind="stable")[:MOST_IN_HEAT_MAP]
    chosen = np.sort(busiest)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (together / votes[:, None])[np.ix_(chosen, chosen)]
    np.fill_diagonal(shares, np.nan)
    names = [lf_names[j] for j in chosen]
    note = (
        "Each line: of the rows on which its function votes, the share on which the function of the column "
        "votes too. Rest the pointer on a square to read it."
    )
    if len(chosen) < len(lf_names):
        note += f" The {len(chosen)} of {len(lf_names)} functions that overlap most are shown."
    tips = [
        [_tip(lf_names[i], lf_names[j], together[i], j, apart[i, j], votes[i]) for j in chosen]
        for i in chosen
    ]
    return heat_map("Which labelling functions vote on the same rows", names, shares, tips, note)


def _tip(a: str, b: str, together: npt.NDArray[np.int64], j: int, apart: int, votes: int) -> str:
    if a == b:
        return f"{a} votes on {votes:,} rows"
    share = f"{together[j] / votes:.1%} of the rows of {a}" if votes else f"{a} never votes"
    return f"{a} and {b} both vote on {together[j]:,} rows ({share}), on {apart:,} for different classes"
