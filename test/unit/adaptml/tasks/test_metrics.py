import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from adaptml.evaluation import evaluate_multiclass
from adaptml.runs.metric import metric_of_run
from adaptml.tasks import MULTICLASS, MULTILABEL, Task
from adaptml.tasks.metrics import (
    Metric,
    Outcome,
    best,
    both_in_words,
    brier,
    constant,
    metric_of,
    nested,
)

ACCURACY = Metric("accuracy", MULTICLASS)


def said(*classes: int, k: int = 2, sure: float = 0.9) -> Outcome:
    """What names these classes, each with the same probability."""
    predicted = np.eye(k, dtype=np.int8)[list(classes)]
    return Outcome(np.where(predicted == 1, sure, (1 - sure) / (k - 1)), predicted)


def truth(*classes: int, k: int = 2) -> np.ndarray:
    return np.eye(k, dtype=np.int8)[list(classes)]


def test_each_metric_by_hand() -> None:
    # of three points of class 0 two are found, of one of class 1 it, and a 0 is taken for a 1
    Y, out = truth(0, 0, 0, 1), said(0, 0, 1, 1)
    assert ACCURACY.value(Y, out) == 0.75
    # F1 of 0: 2*2 / (3 + 2) = 0.8; of 1: 2*1 / (1 + 2) = 2/3
    assert Metric("macro_f1", MULTICLASS).value(Y, out) == pytest.approx((0.8 + 2 / 3) / 2)
    assert Metric("f1_of_positive", MULTICLASS, 1, "spam").value(Y, out) == pytest.approx(2 / 3)
    assert Metric("log_loss", MULTICLASS).value(Y, out) == pytest.approx(-(3 * np.log(0.9) + np.log(0.1)) / 4)
    sets = np.array([[1, 1], [0, 0]], np.int8)
    named = Outcome(np.array([[0.9, 0.2], [0.1, 0.1]]), np.array([[1, 0], [0, 0]], np.int8))
    assert Metric("f1_samples", MULTILABEL).value(sets, named) == pytest.approx((2 / 3 + 1) / 2)
    # a class that nobody has and nobody names is no class to average over
    assert Metric("macro_f1", MULTICLASS).value(truth(0, 1, k=3), said(0, 1, k=3)) == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_macro_f1_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    true, named = zip(*pairs, strict=True)
    seen = sorted({*true, *named})
    expected = f1_score(true, named, labels=seen, average="macro", zero_division=0)
    value = Metric("macro_f1", MULTICLASS).value(truth(*true, k=4), said(*named, k=4))
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "log_loss"])
def test_draws_are_the_figure_of_points_drawn_with_replacement(name: str) -> None:
    metric, Y, out = Metric(name, MULTICLASS), truth(0, 0, 1, 1, 0), said(0, 1, 1, 0, 0)
    picks = np.random.default_rng(3).integers(0, 5, size=(2000, 5))
    by_hand = [metric.value(Y[rows], out.rows(rows)) for rows in picks[:20]]
    assert metric.draws(Y, out, 3)[:20] == pytest.approx(by_hand)


def test_the_default_follows_the_task() -> None:
    plain = Task(classes=["a", "b", "c"])
    even, rare = truth(*([0, 1, 2] * 10), k=3), truth(*([0, 1] * 10), 2, k=3)
    assert [metric_of(plain, Y).name for Y in (None, even, rare)] == ["accuracy", "accuracy", "macro_f1"]
    spam = Task(classes=["ham", "spam"], positive="spam")
    assert (metric_of(spam).name, metric_of(spam).title, metric_of(spam).logged) == (
        "f1_of_positive", "F1 of spam", "f1/spam",
    )  # fmt: skip
    assert metric_of(Task(classes=["a", "b"], setting="multilabel")).name == "f1_samples"
    stated = Task(classes=["ham", "spam"], positive="spam", metric="log_loss")
    assert metric_of(stated).name == "log_loss"
    assert (
        metric_of(Task(classes=["a", "b"], metric="accuracy").with_setting("multilabel")).name == "f1_samples"
    )


def test_the_metric_decides_and_the_log_loss_where_it_cannot() -> None:
    Y = truth(*([0, 1] * 50))
    right, wrong = said(*([0, 1] * 50), sure=0.6), said(*([0] * 100), sure=0.99)
    assert best(ACCURACY, Y, {"wrong": wrong, "right": right}).name == "right"  # though less sure of itself
    # one point of a hundred apart: the more honest probabilities win
    nearly = said(*([0, 1] * 49), 0, 0, sure=0.95)
    found = best(ACCURACY, Y, {"right": right, "nearly": nearly, "wrong": wrong})
    assert (found.name, found.highest, found.tied) == ("nearly", "right", ("right", "nearly"))
    assert best(ACCURACY, Y, {"first": right, "second": right}).name == "first"
    by_loss = best(Metric("log_loss", MULTICLASS), Y, {"wrong": wrong, "right": right})
    assert by_loss.name == "right"


def test_what_is_chosen_is_judged_by_points_that_did_not_choose() -> None:
    """Two guessers, each right in one half by luck: choosing between them on all points looks better than it is."""
    Y, fold = truth(*([0] * 40)), np.repeat([0, 1], 20)
    first, second = said(*([0] * 20 + [1] * 20)), said(*([1] * 20 + [0] * 20))
    assert ACCURACY.value(Y, first) == 0.5

    def of(*candidates: Outcome) -> float:
        """What choosing among them leads to."""
        named = {str(place): said for place, said in enumerate(candidates)}

        def chosen(rows: np.ndarray) -> Outcome:
            known = {name: said.rows(rows) for name, said in named.items()}
            return named[best(ACCURACY, Y[rows], known).name]

        return ACCURACY.value(Y, nested(chosen, fold))

    assert of(first, second) == 0
    sure = said(*([0] * 40))
    assert of(sure, first) == 1


def test_what_is_said_of_points_stays_in_their_order() -> None:
    """Each point is answered by what is chosen without its fold, whatever order folds come in."""
    fold = np.array([2, 0, 2, 0])
    found = nested(lambda rows: said(*([int(fold[rows[0]] == 0)] * 4)), fold)
    assert found.predicted.argmax(axis=1).tolist() == [1, 0, 1, 0]
    assert nested(lambda rows: said(*([len(rows)] * 4)), np.zeros(4, np.int64)).predicted[:, 0].all()


def test_the_constant_class_by_hand() -> None:
    out = constant(MULTICLASS, truth(1, 1, 0), 2)
    assert out.probs.tolist() == [[0.4, 0.6]] * 2  # (1 + 1) / (3 + 2), (2 + 1) / (3 + 2)
    assert out.predicted.tolist() == [[0, 1]] * 2


def test_brier_and_words() -> None:
    Y, out = truth(0, 1), said(0, 0)
    assert brier(Y, out.probs) == pytest.approx((2 * 0.1**2 + 2 * 0.9**2) / 2)
    positive = Metric("f1_of_positive", MULTICLASS, 0, "ham")
    assert (
        both_in_words(positive, Y, out) == "F1 of ham 0.667 (0.000 to 1.000), accuracy 0.500 (0.095 to 0.905)"
    )
    assert both_in_words(ACCURACY, Y, out) == "accuracy 0.500 (0.095 to 0.905)"


def test_a_class_is_called_as_the_metrics_of_a_run_call_it() -> None:
    """MLflow refuses most signs; two names of signs alone are told apart by their position."""
    for classes, key in (
        (["no ad", "ad!"], "f1/ad_"),
        (["👎", "👍"], "f1/_:1"),
        (["ham", "spam"], "f1/spam"),
    ):
        task = Task(classes=classes, positive=classes[1])
        metric = metric_of(task)
        assert (metric.title, metric.logged) == (f"F1 of {classes[1]}", key)
        Y = np.eye(2, dtype=np.int8)
        assert key in evaluate_multiclass(classes, Y, Y)
        found = metric_of_run({"judged_by": key}, MULTICLASS, classes)
        assert (found.positive, found.title, found.logged) == (1, metric.title, key)
