"""A run of `train` that says what should be fixed, made without training."""

from adaptml.fixing.result import (
    GOLD,
    TRAINING,
    Duplicate,
    Duplicates,
    Suspect,
    ToFix,
    WeakSlice,
    write_to_fix,
)
from adaptml.project import Project
from adaptml.runs.artifacts import TO_FIX

# On the small example: s6 is gold, h0 and h1 are not.
FOUND = ToFix(
    12, 12, "F1 of spam",
    suspects=(
        Suspect("comments", "s6", GOLD, ("spam",), ("ham",), 0.02, "a model that had not seen this label gives ham 0.98, spam 0.02"),
        Suspect("comments", "h1", TRAINING, ("ham",), ("spam",), 0.1, "a model that learned from gold alone gives spam 0.90, ham 0.10"),
    ),
    n_suspects={GOLD: 1, TRAINING: 1},
    duplicates=Duplicates(
        (Duplicate("comments", "h6", ("ham",), "comments", "h0", ("spam",), TRAINING, 0.998),), 1, 1, 1, 0.05, 12
    ),
    slices=(
        WeakSlice("text of 1 to 3 words", 10, 0.5, 0.24, 0.76, 0.9, 0.03, (), (("comments", "s6"),), 1, "accuracy"),
        WeakSlice("the rule buy votes", 11, 0.8, 0.5, 0.9, 0.9, 0.7, (("@vote:buy", "is-filled", ""),), (("comments", "h6"),), 1),
    ),
    n_slices=7,
)  # fmt: skip


def keep_to_fix(project: Project, found: ToFix = FOUND, text: str = "") -> str:
    """Make the run, with another text as its file where one is given; returns its id."""
    params = {"task": "spam", "setting": "multiclass", "algorithm": "logistic_regression"}
    with project.runs.run("spam", "train multiclass", params) as recorder:
        path = write_to_fix(found, recorder.folder / TO_FIX)
        if text:
            path.write_text(text, encoding="utf-8")
        recorder.metrics["gold_accuracy"] = 0.75
    return recorder.run_id
