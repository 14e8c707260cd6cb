"""The ways to choose points for annotation, one sentence each, for whoever has to pick one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """One way to choose points.

    Attributes:
        name: as `--sampling` takes it.
        sentence: what it chooses, and what that is good for.
        needs: what has to be named: `run` (of `label`), `by` (a column of few values), `vector` (a column of
            vectors, the task's first feature without one), or empty.
        mixes: whether it can be a part of a mixture; the others choose points that were asked before.
    """

    name: str
    sentence: str
    needs: str = ""
    mixes: bool = True


WAYS = (
    Way("random", "Every row is equally likely: what the labels say then holds for the whole table."),
    Way(
        "stratified",
        "Every value of a column in proportion to its rows, and each at least once: no group is missed.",
        "by",
    ),
    Way(
        "diverse", "Rows that lie far from each other in a vector column: they cover what there is.", "vector"
    ),
    Way(
        "uncertain",
        "Rows of which the label model is least sure: one label there teaches it the most.",
        "run",
    ),
    Way("disagreement", "Rows for which labelling functions voted for different classes.", "run"),
    Way("uncovered", "Rows for which no labelling function voted: they show what the rules miss.", "run"),
    Way(
        "disputed",
        "Points on which annotators differed when they were last fetched, the worst first, for somebody else "
        "to settle in Label Studio.",
        mixes=False,
    ),
    Way(
        "suspicious",
        "Points whose gold label, or label of the label model, looks wrong to a run that was compared with "
        "gold, the most suspicious first; somebody else settles those of gold.",
        "run",
        mixes=False,
    ),
    Way(
        "changed",
        "Gold points that read otherwise than when they were labelled, or whose class was split or dropped: "
        "they are asked about again.",
        mixes=False,
    ),
    Way("again", "The first rows, whatever was said about them, once for each list of classes.", mixes=False),
)
