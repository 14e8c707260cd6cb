"""How points were sampled, as their tasks record it, and what that says about the whole table."""

from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from adaptml.errors import listed
from adaptml.frames import KEYS
from labelstudio.export import ExportedTask

COLUMNS = [*KEYS, "sampling", "inclusion_prob"]
# Samplings that can take every point of their table; by inclusion probabilities, shares can be weighted.
_COVERING = ("random", "stratified")


def sampling_record(tasks: Iterable[ExportedTask]) -> pd.DataFrame:
    """`table_name`, `id`, `sampling`, `inclusion_prob` of the points of which it is on record, by key."""
    rows = {}
    for task in tasks:
        meta = task.data.meta_info
        if meta.sampling and not meta.purpose:  # how a point is asked again says nothing about its draw
            rows[meta.table_name, task.data.ref_id] = (meta.sampling, meta.inclusion_prob)
    frame = pd.DataFrame([(*key, *rows[key]) for key in sorted(rows)], columns=COLUMNS)
    return frame.astype(dict.fromkeys(COLUMNS[:3], str) | {"inclusion_prob": float})


def sample_warning(sample: pd.DataFrame) -> str:
    """A warning about points that are not a random sample of a table, or nothing.

    Args:
        sample: as `sampling_record` gives it, of the points in question.
    """
    draws = sample["sampling"].unique().tolist()
    if all(name.split(" ")[0] == "random" for name in draws):  # every point of the table equally likely
        return ""
    return (
        f"these points are not a simple random sample of the table (drawn as {listed(draws)}): agreement and "
        "class shares hold for them, not for the table"
    )


def balance_lines(gold: pd.DataFrame, sample: pd.DataFrame) -> list[str]:
    """The classes' shares as lines of text; weighted to the whole table where the draw allows it.

    The weighted share is Hájek's ratio estimate: Σ 1/π over points of the class by Σ 1/π over all, with π
    a point's inclusion probability (Särndal, Swensson and Wretman 1992, section 5.7).

    Args:
        gold: `table_name`, `id`, `gold_label`.
        sample: as `sampling_record` gives it; empty where nothing is on record, and then the list is empty.
    """
    frame = gold.merge(sample, on=KEYS)
    if frame.empty:
        return []
    draws = frame["sampling"].unique().tolist()
    lines = [f"shares among gold points: {_shares(frame, pd.Series(1.0, index=frame.index))}"]
    warning = sample_warning(frame)
    if not warning:
        return lines
    parts = draws[0].split(" ")[0].split(",")
    covering = len(draws) == 1 and any(part.startswith(_COVERING) for part in parts)
    if covering and frame["inclusion_prob"].notna().all():
        weighted = _shares(frame, 1 / frame["inclusion_prob"])
        return [*lines, f"shares in the table, weighted back: {weighted}", f"warning: {warning}"]
    at_random = frame[frame["sampling"].str.startswith("random ")]
    if len(at_random):
        of_table = _shares(at_random, pd.Series(1.0, index=at_random.index))
        lines.append(
            f"shares among the {len(at_random)} drawn at random, which hold for the table: {of_table}"
        )
    return [*lines, f"warning: {warning}; they cannot be weighted back"]


def _shares(frame: pd.DataFrame, weights: "pd.Series[float]") -> str:
    totals: defaultdict[str, float] = defaultdict(float)
    for names, weight in zip(frame["gold_label"], weights, strict=True):
        for name in list(names) or ["none"]:
            totals[name] += weight
    total = float(weights.sum())
    return ", ".join(f"{name} {totals[name] / total:.3f}" for name in sorted(totals))
