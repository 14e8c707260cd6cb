"""The names under which a task file states its metric."""

from typing import Literal

MetricName = Literal["accuracy", "macro_f1", "f1_of_positive", "f1_samples", "log_loss"]
ACCURACY, MACRO_F1, F1_OF_POSITIVE = "accuracy", "macro_f1", "f1_of_positive"
F1_SAMPLES, LOG_LOSS = "f1_samples", "log_loss"


def metric_problem(name: str, *, exclusive: bool, has_positive: bool) -> str | None:
    """Why a task cannot be judged by a metric; None where it can.

    Args:
        name: the metric's name.
        exclusive: whether a point has exactly one class.
        has_positive: whether the task names a positive class.
    """
    if name == F1_OF_POSITIVE and not has_positive:
        return "is f1_of_positive, and the task names no positive class; add `positive: <class>`, of two"
    usable = (ACCURACY, MACRO_F1, F1_OF_POSITIVE, LOG_LOSS) if exclusive else (F1_SAMPLES, MACRO_F1, LOG_LOSS)
    if name not in usable:
        setting = "multiclass" if exclusive else "multilabel"
        return f"is {name}, which a {setting} task does not have; expected one of {', '.join(usable)}"
    return None
