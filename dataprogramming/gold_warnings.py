"""What is said where gold or training data are too few, or where a class is hardly ever named."""

from collections.abc import Sequence

import numpy as np

from adaptml.gold_labels.judging import MIN_JUDGE
from adaptml.gold_labels.shown import is_shown_better, passed_over
from dataprogramming.label_models.core import MIN_GOLD, Gold, Indicator, covered
from dataprogramming.on_gold import constant_title
from dataprogramming.patterns import Counts
from dataprogramming.selection import Selection

FEW_PER_CLASS = 10  # labelled points for each class, below which hardly any end model learns


def gold_warnings(
    selection: Selection,
    gold: Gold | None,
    class_names: Sequence[str],
    labels: Indicator,
    times: Counts | None = None,
) -> list[str]:
    """What gold says against the labels, and where there is too little of either; one sentence each.

    Args:
        selection: the label models, and the one that was chosen.
        gold: the gold points, or None.
        class_names: k names.
        labels: of the points with votes, int8 (c, k).
        times: int64 (c,), of how many points each of these rows is; None: of one.
    """
    times = np.ones(len(labels), np.int64) if times is None else times
    said = [
        too_few_labelled(int(times.sum()), len(class_names)),
        too_few_gold(gold),
        not_better_than_constant(selection, gold, class_names),
    ]
    found = [sentence for sentence in said if sentence is not None]
    if gold is None or selection.judged is None:
        return found
    return found + rarely_named(gold, selection.judged.predicted, class_names, labels, times)


def too_few_gold(gold: Gold | None) -> str | None:
    """A warning where no figure on gold says much; None without gold, or with enough.

    Of g points the 95 % interval of a share reaches 0.98 / sqrt(g) to either side at most.
    """
    if gold is None or len(gold) >= MIN_JUDGE:
        return None
    points = "is only 1 gold point" if len(gold) == 1 else f"are only {len(gold)} gold points"
    return (
        f"there {points}: a figure on them can be off by {0.98 / len(gold) ** 0.5:.2f} either way; annotate "
        f"at least {MIN_JUDGE} ({MIN_GOLD} with votes, to choose a label model by them)"
    )


def too_few_labelled(n_covered: int, k: int) -> str | None:
    """A warning where the labelled points are too few to train on; None where they are enough.

    Args:
        n_covered: points with votes.
        k: number of classes.
    """
    needed = FEW_PER_CLASS * k
    if n_covered >= needed:
        return None
    points = "1 point has" if n_covered == 1 else f"{n_covered} points have"
    return (
        f"only {points} votes and can be trained on, too few to learn {k} classes from; at least {needed} "
        "are needed: label more data, or write rules that vote on more of it"
    )


def not_better_than_constant(
    selection: Selection, gold: Gold | None, class_names: Sequence[str]
) -> str | None:
    """A warning where gold does not show the chosen model to beat always naming the most frequent class.

    The 95 % interval of the paired difference (`Metric.draws`) holds 0, or lies below it. With fewer than
    MIN_GOLD gold points nothing is said: they show nothing of any model.
    """
    judged, constant, metric = selection.judged, selection.constant, selection.metric
    if gold is None or judged is None or constant is None or len(gold) < MIN_GOLD:
        return None
    if is_shown_better(metric, gold.Y, judged, constant):
        return None
    values = [metric.value(gold.Y, said) for said in (judged, constant)]
    return (
        f"the label model {selection.chosen} is not shown to be better than to say "
        f"{constant_title(gold, class_names)}: {metric.title} {values[0]:.3f} against {values[1]:.3f} on "
        f"{len(gold)} gold points; look at the votes that are wrong on gold, or write rules that say more"
    )


def rarely_named(
    gold: Gold,
    predicted: Indicator,
    class_names: Sequence[str],
    labels: Indicator,
    times: Counts | None = None,
) -> list[str]:
    """A sentence for each class that the label model passes over, see `adaptml.gold_labels.shown`.

    Looked at are the gold points with votes, and the classes that a labelling function votes for there.

    Args:
        gold: g points.
        predicted: int8 (g, k), what a model that has not seen them names.
        class_names: k names.
        labels, times: as in `gold_warnings`.
    """
    times = np.ones(len(labels), np.int64) if times is None else times
    rows, shares = covered(gold.L), times @ labels / times.sum()
    k = len(class_names)
    votable = np.isin(np.arange(k), gold.L) | bool(gold.L.max(initial=-1) >= k)
    n_has, n_named = gold.Y[rows].sum(axis=0), predicted[rows].sum(axis=0)
    return [
        f"class {class_names[c]} is named far more rarely than gold says: on {n_named[c]} of the "
        f"{rows.sum()} gold points with votes, of which {n_has[c]} have it, and on {shares[c]:.1%} of the "
        f"labelled points; look at the rules that outvote those for {class_names[c]}"
        for c in passed_over(gold.Y[rows], predicted[rows])
        if votable[c]
    ]
