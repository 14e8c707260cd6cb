"""One table of labelling functions for the report, the terminal and a comparison with the last look."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.table import Table
from rich.text import Text

from adaptml.reports.interval import wilson
from adaptml.tasks.vote_codes import Sets, VoteCodes
from dataprogramming.label_models.core import Floats, Gold, correct_votes
from dataprogramming.patterns import CastVotes, as_patterns

Counts = npt.NDArray[np.int64]
Row = Mapping[Hashable, Any]
BATCH_ROWS = 20_000


@dataclass(frozen=True)
class VoteCounts:
    """Votes on n rows, counted in batches, so that no copy of the label matrix is made.

    Attributes:
        n: rows.
        by_code: int64 (m, k + s): votes of each LF for each class, then for each set of classes.
        overlaps: int64 (m,): rows where the LF votes and another does too.
        conflicts: int64 (m,): rows where the LF votes and two votes cannot both be right.
        uncovered: rows without a vote.
        disagreements: rows with two votes that cannot both be right.
    """

    n: int
    by_code: Counts
    overlaps: Counts
    conflicts: Counts
    uncovered: int
    disagreements: int

    @property
    def votes(self) -> Counts:
        """Rows on which each LF votes: int64 (m,)."""
        return np.asarray(self.by_code.sum(axis=1))

    @property
    def votes_for(self) -> Counts:
        """Votes for each class, then for each set of classes: int64 (k + s,)."""
        return np.asarray(self.by_code.sum(axis=0))


def count_votes(cast: CastVotes, codes: VoteCodes) -> VoteCounts:
    """Count the votes on n rows."""
    found = as_patterns(cast)
    m, v = found.rows.shape[1], codes.k + len(codes.sets)
    by_code, overlaps, conflicts = (
        np.zeros(m * (v + 1), np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
    )
    uncovered = disagreements = 0
    offsets = np.arange(m, dtype=np.int32) * (v + 1) + 1
    for start in range(0, len(found.rows), BATCH_ROWS):
        batch, times = found.rows[start : start + BATCH_ROWS], found.counts[start : start + BATCH_ROWS]
        # Sums of whole numbers: exact in floating point up to 2^53.
        by_code += np.bincount((batch + offsets).ravel(), np.repeat(times, m), minlength=len(by_code)).astype(
            np.int64
        )
        votes = batch >= 0
        n_votes, apart = votes.sum(axis=1), codes.disagree(batch)
        overlaps += times[n_votes > 1] @ votes[n_votes > 1]
        conflicts += times[apart] @ votes[apart]
        uncovered += int(times[n_votes == 0].sum())
        disagreements += int(times[apart].sum())
    by_code = by_code.reshape(m, v + 1)[:, 1:]
    return VoteCounts(len(found), by_code, overlaps, conflicts, uncovered, disagreements)


def count_pairs(cast: CastVotes, by_code: Counts, codes: VoteCodes) -> tuple[Counts, Counts]:
    """On how many rows each two LFs both vote, and on how many of these they cannot both be right.

    Args:
        cast: the votes of m LFs on n rows.
        by_code: int64 (m, k + s), as counted by `count_votes`.
        codes: what the votes stand for.

    Returns:
        together, apart: int64 (m, m) each, symmetric.
    """
    found = as_patterns(cast)
    m = found.rows.shape[1]
    together, alike = np.zeros((m, m)), np.zeros((m, m))
    agrees = ~codes.apart
    agrees[:, -1] = False  # silence is no vote
    voters = [
        (c, np.flatnonzero(by_code[:, c]), np.flatnonzero(by_code[:, agrees[c, :-1]].any(axis=1)))
        for c in range(by_code.shape[1])
    ]
    for start in range(0, len(found.rows), BATCH_ROWS):
        batch = found.rows[start : start + BATCH_ROWS]
        times = found.counts[start : start + BATCH_ROWS, None].astype(np.float64)
        votes = (batch >= 0).astype(np.float64)
        together += (times * votes).T @ votes
        for c, lfs, others in voters:
            mine = times * np.equal(batch[:, lfs], c)
            alike[np.ix_(lfs, others)] += mine.T @ agrees[c][batch[:, others]].astype(np.float64)
    return together.astype(np.int64), (together - alike).astype(np.int64)


def lf_table(
    cast: CastVotes,
    lf_names: Sequence[str],
    class_names: Sequence[str],
    sets: Sets = (),
    *,
    weights: Floats | None = None,
    gold: Gold | None = None,
    counts: VoteCounts | None = None,
) -> pd.DataFrame:
    """A row per labelling function: what it does on the points to label, and how often it is right on gold.

    Args:
        cast: votes on the n points to label, values in {-1, 0 … k-1}, and from k on for sets.
        lf_names: m names.
        class_names: k names.
        sets: code k + i is a vote for one of the classes in sets[i].
        weights: float64 (m,), the learned weights, or None.
        gold: points whose classes are known, or None. A vote is right if the point has that class, or
            one of the set.
        counts: of these votes, where they were counted already.

    Returns:
        Frame of m rows: lf, polarity (names of what it votes for), votes (rows), coverage, overlaps,
        conflicts (shares of all n rows, as in `lf_summary`), n_overlaps and n_conflicts (rows); with weights
        learned_weight; with gold correct, incorrect (votes), empirical_accuracy, and accuracy_low and
        accuracy_high, its 95 % Wilson interval; these three are NaN for an LF without votes on gold.
    """
    codes = VoteCodes(len(class_names), sets)
    found = counts or count_votes(cast, codes)
    n, said = max(found.n, 1), codes.names(class_names)
    columns: dict[str, object] = {
        "lf": list(lf_names),
        "polarity": [", ".join(said[c] for c in np.flatnonzero(row).tolist()) for row in found.by_code],
        "votes": found.votes,
        "coverage": found.votes / n,
        "overlaps": found.overlaps / n,
        "conflicts": found.conflicts / n,
        "n_overlaps": found.overlaps,
        "n_conflicts": found.conflicts,
    }
    if weights is not None:
        columns["learned_weight"] = weights
    return pd.DataFrame(columns | ({} if gold is None else _on_gold(gold, sets)))


def _on_gold(gold: Gold, sets: Sets) -> dict[str, object]:
    right, cast = correct_votes(gold, sets), (gold.L >= 0).sum(axis=0)
    low, high = wilson(right, cast)
    accuracy = np.divide(right, cast, out=np.full(len(cast), np.nan), where=cast > 0)
    return {
        "correct": right,
        "incorrect": cast - right,
        "empirical_accuracy": accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
    }


def with_change(now: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """The table with a column `change`: what differs from the last look, empty where nothing does.

    Args:
        now, previous: as `lf_table` gives them; LFs are the same where their names are.
    """
    before = {row["lf"]: row for row in previous.to_dict("records")}
    changes = [
        _change(row, before[row["lf"]]) if row["lf"] in before else "new" for row in now.to_dict("records")
    ]
    return now.assign(change=changes)


def removed(now: pd.DataFrame, previous: pd.DataFrame) -> list[str]:
    """Names of the LFs that the last look had and this one does not."""
    return [str(name) for name in previous["lf"] if name not in set(now["lf"])]


def _change(now: Row, before: Row) -> str:
    parts = [
        f"{name} {before[name]:.1%} → {now[name]:.1%}"
        for name in ("coverage", "conflicts")
        if f"{before[name]:.1%}" != f"{now[name]:.1%}"
    ]
    if "correct" in now and "correct" in before:
        old, new = _right(before), _right(now)
        parts += [f"right {old} → {new}"] if old != new else []
    return "; ".join(parts)


def _right(row: Row) -> str:
    return f"{row['correct']} of {row['correct'] + row['incorrect']}"


def as_rich_table(frame: pd.DataFrame) -> Table:
    """The table for a terminal: numbers to the right, names never read as rich's markup.

    Args:
        frame: as `lf_table` gives it, with or without gold, weights and `with_change`.
    """
    shown = [(heading, column, show) for heading, column, show in _COLUMNS if column in frame.columns]
    made = Table(caption=_caption(frame), caption_justify="left")
    for heading, column, _ in shown:
        left = column in _TEXTS
        made.add_column(
            heading,
            justify="left" if left else "right",
            no_wrap=not left,
            overflow="fold",
            min_width=_MIN_CHARS if left else None,
        )
    for row in frame.to_dict("records"):
        made.add_row(*(Text(show(row)) for _, _, show in shown))
    return made


def _caption(frame: pd.DataFrame) -> str | None:
    return "accuracy on gold with its 95 % Wilson interval" if "correct" in frame.columns else None


def _accuracy(row: Row) -> str:
    if np.isnan(row["empirical_accuracy"]):
        return "–"
    return f"{row['empirical_accuracy']:.2f} [{row['accuracy_low']:.2f}, {row['accuracy_high']:.2f}]"


_TEXTS = {"lf", "polarity", "change"}
_MIN_CHARS = 8  # a narrow terminal would leave none
_COLUMNS: list[tuple[str, str, Callable[[Row], str]]] = [
    ("LF", "lf", lambda row: str(row["lf"])),
    ("votes for", "polarity", lambda row: str(row["polarity"]) or "–"),
    ("votes", "votes", lambda row: f"{row['votes']:,}"),
    ("coverage", "coverage", lambda row: f"{row['coverage']:.1%}"),
    ("overlaps", "overlaps", lambda row: f"{row['overlaps']:.1%}"),
    ("conflicts", "conflicts", lambda row: f"{row['conflicts']:.1%}"),
    ("right", "correct", lambda row: f"{row['correct']:,}"),
    ("wrong", "incorrect", lambda row: f"{row['incorrect']:,}"),
    ("accuracy", "empirical_accuracy", _accuracy),
    ("weight", "learned_weight", lambda row: f"{row['learned_weight']:.2f}"),
    ("change", "change", lambda row: str(row["change"])),
]
