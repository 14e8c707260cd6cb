"""What gold holds against an end model."""

import numpy as np
import pytest

from adaptml.tasks import MULTICLASS
from adaptml.tasks.metrics import Metric
from modelling.evaluate import rarely_named

NO = "state a metric that counts it (metric: macro_f1)"


@pytest.mark.parametrize(
    ("metric", "remedy"),
    [
        (Metric("accuracy", MULTICLASS), NO),
        (Metric("log_loss", MULTICLASS), NO),
        (Metric("f1_of_positive", MULTICLASS, 0, "ham"), NO),
        (Metric("f1_of_positive", MULTICLASS, 1, "spam"), "write rules for it"),
        (Metric("macro_f1", MULTICLASS), "write rules for it"),
    ],
)
def test_a_rare_class_that_is_passed_over_is_told_with_what_is_not_done_yet(
    metric: Metric, remedy: str
) -> None:
    of = np.eye(2, dtype=np.int8)
    Y, predicted = of[[0] * 88 + [1] * 12], of[[0] * 100]
    assert rarely_named(metric, ["ham", "spam"], Y, predicted) == [
        "class spam is named far more rarely than gold says: on 0 of 100 gold points, of which 12 have it; "
        f"annotate more of it, or {remedy}"
    ]
    assert rarely_named(metric, ["ham", "spam"], Y, Y) == []
