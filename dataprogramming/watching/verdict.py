"""What moved, in words, and what to do about it."""

from collections.abc import Sequence

from dataprogramming.watching.statistics import FALSE_ALARMS, SHIFT_IN_WORDS, Kind, Quantity

NOTHING = "nothing moved"
TO_ANNOTATE = 50
CALLS = (
    f"{FALSE_ALARMS:.0%} false alarms at most, all comparisons together (Holm); what moved has also "
    f"{SHIFT_IN_WORDS}"
)


def moved(quantities: Sequence[Quantity]) -> list[Quantity]:
    """What moved, the surest first."""
    return sorted((q for q in quantities if q.moved), key=lambda q: q.adjusted)


def in_words(quantity: Quantity) -> str:
    """One comparison as a sentence."""
    old, new = quantity.old, quantity.new
    if quantity.kind is Kind.VECTORS:
        return f"{quantity.title}: {new.value:.3f} ({new.low:.3f} to {new.high:.3f}); chance is 0.5"
    return (
        f"{quantity.title}: {old.value:.1%} → {new.value:.1%} ({new.low:.1%} to {new.high:.1%}, {new.n} rows)"
    )


def rules_to_look_at(quantities: Sequence[Quantity]) -> list[str]:
    """Labelling functions whose coverage moved, the surest first."""
    return [q.subject for q in moved(quantities) if q.kind is Kind.COVERAGE]


def asks_for_labels(quantities: Sequence[Quantity]) -> bool:
    """Whether something moved that only labels can settle: anything but a rule."""
    return any(q.moved and q.kind is not Kind.COVERAGE for q in quantities)


def verdict(quantities: Sequence[Quantity], n_to_annotate: int) -> str:
    """The verdict in one sentence.

    Args:
        quantities: judged together.
        n_to_annotate: how many rows there are to annotate; 0 for none.
    """
    rules = rules_to_look_at(quantities)
    parts = [f"look at {'rule' if len(rules) == 1 else 'rules'} {', '.join(rules)}"] if rules else []
    parts += [f"annotate these {n_to_annotate} rows"] if n_to_annotate else []
    count = len(moved(quantities))
    if not count:
        return f"{NOTHING}, in {len(quantities)} comparisons"
    return f"{count} of {len(quantities)} comparisons moved: {' and '.join(parts)}"
