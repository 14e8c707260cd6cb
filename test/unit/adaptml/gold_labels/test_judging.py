"""The part of gold that judges: out of sight of those who write rules, with a figure of its own."""

import numpy as np
import pandas as pd
import pytest

from adaptml.gold_labels.judging import judge_metrics, judge_sentence, tuning_part
from adaptml.labelled import Labelled
from adaptml.tasks import MULTICLASS


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
    found = judge_metrics(MULTICLASS, truth.judges, truth.Y, predicted, "dev")
    assert (found["dev_judge_points"], found["dev_judge_accuracy"]) == (32, 0.75)
    # A share of 0.75 of 32 points has a standard error of 0.077: the interval is about two of these each way.
    assert found["dev_judge_low"] == pytest.approx(0.75 - 1.96 * 0.077, abs=0.035)
    assert found["dev_judge_high"] == pytest.approx(0.75 + 1.96 * 0.077, abs=0.035)
    assert judge_sentence(MULTICLASS, found, "dev").startswith("; on the 32 points that only judge 0.750 (0.")


def test_too_few_that_judge_have_no_figure() -> None:
    truth = gold(40, 29)
    assert judge_metrics(MULTICLASS, truth.judges, truth.Y, truth.Y, "gold") == {}
    assert judge_metrics(MULTICLASS, None, truth.Y, truth.Y, "gold") == {}
    assert judge_sentence(MULTICLASS, {}, "gold") == ""
