"""What is said where labels are no better than a constant, hardly name a class, or are too few."""

import numpy as np
import numpy.typing as npt
import pytest

from adaptml.tasks import MULTICLASS, MULTILABEL
from adaptml.tasks.metrics import Metric, Outcome, constant
from dataprogramming.gold_warnings import gold_warnings, not_better_than_constant, rarely_named
from dataprogramming.label_models.core import Gold
from dataprogramming.selection import Selection

NAMES = ["ham", "spam", "other"]
Flags = npt.NDArray[np.int8]


def flags(*counts: int) -> Flags:
    """So many points of class 0, 1, 2."""
    return np.eye(3, dtype=np.int8)[np.repeat(np.arange(3), counts)]


def labelled_as(*counts: int) -> Outcome:
    return Outcome(0.8 * flags(*counts) + 0.2 / 3, flags(*counts))


def gold(Y: Flags) -> Gold:
    """Rules vote for each class somewhere, and on every point."""
    return Gold((np.arange(len(Y)) % Y.shape[1])[:, None].astype(np.int8), Y)


def selection(Y: Flags, judged: Outcome, metric: Metric) -> Selection:
    return Selection(
        models={}, without={}, held_out={"em": judged, "union": judged}, judged=judged,
        constant=constant(metric.problem, Y, len(Y)), chosen="em", reason="", metric=metric,
    )  # fmt: skip


ACCURACY, MACRO_F1 = (Metric(name, MULTICLASS) for name in ("accuracy", "macro_f1"))


def test_a_model_that_does_not_beat_the_constant() -> None:
    """Of 40 points, 30 are ham; 31 are right, which is one more than always ham."""
    Y, judged = flags(30, 10, 0), labelled_as(39, 1, 0)
    said = not_better_than_constant(selection(Y, judged, ACCURACY), gold(Y), NAMES)
    assert said is not None
    assert said.startswith(
        "the label model em is not shown to be better than to say always ham: accuracy 0.775 against 0.750 on "
        "40 gold points; look at "
    )


@pytest.mark.parametrize("metric", [ACCURACY, MACRO_F1])
def test_a_model_that_beats_the_constant(metric: Metric) -> None:
    Y = flags(30, 10, 0)
    assert not_better_than_constant(selection(Y, labelled_as(31, 9, 0), metric), gold(Y), NAMES) is None


def test_few_points_show_nothing_of_any_model() -> None:
    Y = flags(10, 9, 0)
    found = gold_warnings(selection(Y, labelled_as(19, 0, 0), ACCURACY), gold(Y), NAMES, flags(30, 30, 30))
    assert found == [
        "there are only 19 gold points: a figure on them can be off by 0.22 either way; annotate at least 30 "
        "(20 with votes, to choose a label model by them)"
    ]


def test_few_labelled_points_are_said_with_the_number_that_is_needed() -> None:
    Y = flags(20, 20, 0)
    chosen = selection(Y, labelled_as(20, 20, 0), ACCURACY)
    assert gold_warnings(chosen, gold(Y), NAMES, flags(14, 8, 7)) == [
        "only 29 points have votes and can be trained on, too few to learn 3 classes from; at least 30 are needed: "
        "label more data, or write rules that vote on more of it"
    ]
    assert gold_warnings(chosen, gold(Y), NAMES, flags(14, 8, 8)) == []
    assert gold_warnings(chosen, None, NAMES, flags(1, 0, 0))[0].startswith("only 1 point has votes and ")


def test_a_class_that_is_outvoted() -> None:
    """All 10 of spam are missed and none is given wrongly: 1 in 2^10, and below 1 in 1000."""
    Y, labels = flags(30, 10, 0), flags(199, 1, 0)
    assert rarely_named(gold(Y), flags(40, 0, 0), NAMES, labels) == [
        "class spam is named far more rarely than gold says: on 0 of the 40 gold points with votes, of which 10 "
        "have it, and on 0.5% of the labelled points; look at the rules that outvote those for spam"
    ]


def test_what_can_be_chance_is_no_warning() -> None:
    labels = flags(200, 0, 0)
    nine = flags(31, 9, 0)  # 1 in 2^9 is above 1 in 1000
    assert rarely_named(gold(nine), flags(40, 0, 0), NAMES, labels) == []
    swapped = flags(30, 20, 0)[::-1]  # 20 of spam are missed and 20 of ham are given it
    assert rarely_named(gold(flags(30, 20, 0)), swapped, NAMES, labels) == []
    half = flags(100, 40, 0)  # it is named half as often as it is there
    assert rarely_named(gold(half), flags(120, 20, 0), NAMES, labels) == []
    assert rarely_named(gold(half), flags(121, 19, 0), NAMES, labels) != []


def test_points_without_votes_and_classes_without_rules_are_left_out() -> None:
    """That no rule votes for a class is another warning; a point without votes is not in the training data."""
    Y, labels = flags(30, 10, 0), flags(200, 0, 0)
    no_rule = Gold(np.zeros((40, 1), np.int8), Y)
    assert rarely_named(no_rule, flags(40, 0, 0), NAMES, labels) == []
    silent = gold(Y)
    silent.L[31:] = -1
    assert rarely_named(silent, flags(40, 0, 0), NAMES, labels) == []


def test_gold_that_was_not_drawn_at_random_is_no_false_alarm() -> None:
    """Half of gold is spam, for it was looked for; hardly any of the data is, and labels say so."""
    Y = flags(20, 20, 0)
    assert rarely_named(gold(Y), flags(21, 19, 0), NAMES, flags(990, 10, 0)) == []


def test_in_multilabel_each_class_is_a_question_of_its_own() -> None:
    Y = np.column_stack([np.ones(30), np.repeat([1, 0], 15)]).astype(np.int8)
    never = np.column_stack([np.ones(30), np.zeros(30)]).astype(np.int8)
    (said,) = rarely_named(gold(Y), never, ["cat", "dog"], never)
    assert said.startswith("class dog is named far more rarely than gold says: on 0 of the 30 ")
    metric = Metric("f1_samples", MULTILABEL)
    chosen = selection(Y, Outcome(never.astype(float), never), metric)
    assert (
        "better than to say always cat: F1 over samples 0.833"
        in gold_warnings(chosen, gold(Y), ["cat", "dog"], Y)[0]
    )
