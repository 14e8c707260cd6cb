"""The part of gold that judges: out of sight of those who write rules, with a figure of its own."""

import numpy as np
import pandas as pd
import pytest

from adaptml.gold_labels.judging import judge_metrics, judge_sentence, tuning_part
from adaptml.labelled import Labelled
from adaptml.tasks import MULTICLASS
from adaptml.tasks.metrics import Metric, Outcome

ACCURACY = Metric("accuracy", MULTICLASS)


def gold(n_tune: int, n_judge: int) -> Labelled:
    """Points 0 … of class 0, those to tune on first."""
    n = n_tune + n_judge
    keys = pd.DataFrame({"table_name": "posts", "id": [str(i) for i in range(n)]})
    Y = np.tile(np.array([1, 0], np.int8), (n, 1))
    return Labelled(keys, Y, judges=np.arange(n) >= n_tune)


def test_those_that_judge_are_set_aside() -> None:
    part = tuning_part(gold(10, 12))
    assert part is not None
    assert (part.keys["id"].tolist(), part.set_aside) == ([str(i) for i in range(10)], 12)


@pytest.mark.parametrize(("n_tune", "n_judge"), [(9, 40), (40, 9)])
def test_with_few_points_rules_are_judged_on_all(n_tune: int, n_judge: int) -> None:
    part = tuning_part(gold(n_tune, n_judge))
    assert part is not None
    assert (len(part), part.set_aside) == (49, 0)


def test_a_frame_that_somebody_named_has_no_parts() -> None:
    whole = Labelled(gold(30, 30).keys, gold(30, 30).Y)
    assert tuning_part(whole) is whole
    assert tuning_part(None) is None


def test_the_figure_is_that_of_the_judging_points_alone() -> None:
    # All 40 to tune on are wrong; of the 32 that judge, 8 are wrong: 24/32.
    truth = gold(40, 32)
    predicted = truth.Y.copy()
    predicted[:48] = [0, 1]
    found = judge_metrics(ACCURACY, truth.judges, truth.Y, Outcome(predicted.astype(float), predicted), "dev")
    assert (found["dev_judge_points"], found["dev_judge_accuracy"]) == (32, 0.75)
    # A share of 0.75 of 32 points has a standard error of 0.077: the interval is about two of these each way.
    assert found["dev_judge_accuracy_low"] == pytest.approx(0.75 - 1.96 * 0.077, abs=0.035)
    assert found["dev_judge_accuracy_high"] == pytest.approx(0.75 + 1.96 * 0.077, abs=0.035)
    said = judge_sentence(ACCURACY, found, "dev")
    assert said.startswith("; on the 32 points that only judge accuracy 0.750 (0.")


def test_the_figure_is_the_tasks_and_accuracy_stands_beside_it() -> None:
    """Of 32 points, class 1 is that of the last 8, of which 4 are named so: F1 of it 2 * 4 / (8 + 4)."""
    Y = np.eye(2, dtype=np.int8)[[0] * 24 + [1] * 8]
    predicted = np.eye(2, dtype=np.int8)[[0] * 28 + [1] * 4]
    metric = Metric("f1_of_positive", MULTICLASS, 1, "spam")
    found = judge_metrics(metric, np.ones(32, bool), Y, Outcome(predicted.astype(float), predicted), "gold")
    assert (found["gold_judge_f1/spam"], found["gold_judge_accuracy"]) == (pytest.approx(2 / 3), 28 / 32)
    assert found["gold_judge_f1/spam_low"] < 2 / 3 < found["gold_judge_f1/spam_high"]
    assert "judge F1 of spam 0.667 (0." in judge_sentence(metric, found, "gold")


def test_too_few_that_judge_have_no_figure() -> None:
    truth = gold(40, 29)
    right = Outcome(truth.Y.astype(float), truth.Y)
    assert judge_metrics(ACCURACY, truth.judges, truth.Y, right, "gold") == {}
    assert judge_metrics(ACCURACY, None, truth.Y, right, "gold") == {}
    assert judge_sentence(ACCURACY, {}, "gold") == ""
