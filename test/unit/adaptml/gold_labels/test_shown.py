import numpy as np

from adaptml.gold_labels.shown import is_shown_better, passed_over
from adaptml.tasks import MULTICLASS
from adaptml.tasks.metrics import Metric, Outcome

ACCURACY = Metric("accuracy", MULTICLASS)


def outcome(*classes: int) -> Outcome:
    flags = np.eye(2, dtype=np.int8)[list(classes)]
    return Outcome(flags.astype(float), flags)


def test_better_is_what_the_paired_interval_says() -> None:
    Y = np.eye(2, dtype=np.int8)[[0, 1] * 20]
    right, constant = outcome(*[0, 1] * 20), outcome(*[0] * 40)
    assert is_shown_better(ACCURACY, Y, right, constant)
    assert not is_shown_better(ACCURACY, Y, constant, right)
    assert not is_shown_better(ACCURACY, Y, constant, constant)
    one_more = outcome(1, *[0] * 39)  # wrong once more than the constant: nothing is shown
    assert not is_shown_better(ACCURACY, Y, constant, one_more)


def test_a_class_is_passed_over_where_the_errors_are_all_on_one_side() -> None:
    """12 points of class 1, none named: 2 ** -12 by chance. Of 9, 2 ** -9 could be. Errors both ways are none."""
    of = np.eye(2, dtype=np.int8)
    assert passed_over(of[[0] * 88 + [1] * 12], of[[0] * 100]) == [1]
    assert passed_over(of[[0] * 91 + [1] * 9], of[[0] * 100]) == []
    both_ways = of[[0] * 76 + [1] * 12 + [0] * 12]
    assert passed_over(of[[0] * 88 + [1] * 12], both_ways) == []
    half_of_them = of[[0] * 88 + [1] * 6 + [0] * 6]
    assert passed_over(of[[0] * 88 + [1] * 12], half_of_them) == []
