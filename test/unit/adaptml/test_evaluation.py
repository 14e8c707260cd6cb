"""Metrics worked out by hand, and compared with scikit-learn on random inputs."""

import math
import warnings

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name
from sklearn import metrics as sk

from adaptml.evaluation import metric_names
from adaptml.tasks import MULTICLASS as MC
from adaptml.tasks import MULTILABEL as ML
from adaptml.tasks import ProblemType

Matrix = npt.NDArray[np.int8]
# What is one number in a multiclass task whatever the data, and under which name it is reported.
SAME_IN_MULTICLASS = {
    "precision_micro": "accuracy",
    "recall_micro": "accuracy",
    "f1_micro": "accuracy",
    "recall_weighted": "accuracy",
    "recall_macro": "balanced_accuracy",
    "ndcg": "dcg",
}


def onehot(*classes: int, k: int = 3) -> Matrix:
    return np.eye(k, dtype=np.int8)[list(classes)]


def rows(*values: str) -> Matrix:
    return np.array([[int(sign) for sign in row] for row in values], dtype=np.int8)


class TestMulticlassByHand:
    # truth a a a b b c; predicted a a b b a a: a: tp 2 fp 2 fn 1, b: tp 1 fp 1 fn 1, c: tp 0 fp 0 fn 1
    metrics = MC.evaluate(["a", "b", "c"], onehot(0, 0, 0, 1, 1, 2), onehot(0, 0, 1, 1, 0, 0))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("accuracy", 3 / 6),
            ("balanced_accuracy", (2 / 3 + 1 / 2 + 0) / 3),
            ("precision_macro", (2 / 4 + 1 / 2 + 0) / 3),  # c was never predicted: 0, not left out
            ("precision_weighted", (3 * 2 / 4 + 2 * 1 / 2 + 1 * 0) / 6),
            ("f1_macro", (4 / 7 + 2 / 4 + 0) / 3),
            ("f1_weighted", (3 * 4 / 7 + 2 * 2 / 4 + 1 * 0) / 6),
            ("specificity_macro", (1 / 3 + 3 / 4 + 5 / 5) / 3),
            ("fall_out_macro", (2 / 3 + 1 / 4 + 0) / 3),
            ("miss_rate_macro", (1 / 3 + 1 / 2 + 1) / 3),
            ("precision/a", 2 / 4),
            ("recall/a", 2 / 3),
            ("f1/a", 4 / 7),
            ("recall/c", 0.0),
            ("f1/c", 0.0),
            # cov(t,p) = 6*3 - (3*4 + 2*2 + 1*0) = 2; 36 - (9+4+1) = 22; 36 - (16+4+0) = 16
            ("mcc", 2 / math.sqrt(22 * 16)),
        ],
    )
    def test_value(self, name: str, value: float) -> None:
        assert self.metrics[name] == pytest.approx(value)

    def test_a_class_that_was_never_predicted_has_no_precision(self) -> None:
        assert "precision/c" not in self.metrics

    def test_no_metric_stands_under_a_second_name(self) -> None:
        assert not set(SAME_IN_MULTICLASS) & set(self.metrics)
        assert set(SAME_IN_MULTICLASS.values()) - {"dcg"} <= set(self.metrics)


class TestMulticlassProbabilities:
    truth = onehot(0, 1, 2)
    probs = np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.4, 0.4, 0.2]])
    metrics = MC.evaluate(["a", "b", "c"], truth, onehot(0, 0, 0), probs)

    def test_log_loss_is_the_mean_of_minus_log_of_the_true_class(self) -> None:
        assert self.metrics["log_loss"] == pytest.approx(-(math.log(0.5) + math.log(0.3) + math.log(0.2)) / 3)

    def test_dcg_is_one_over_log2_of_place_plus_one(self) -> None:
        # places 1, 2 and 3 of 3
        assert self.metrics["dcg"] == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(4)) / 3)

    def test_dcg_shares_the_discounts_of_a_tie(self) -> None:
        tied = np.array([[0.4, 0.4, 0.2]])
        metrics = MC.evaluate(["a", "b", "c"], onehot(1), onehot(0), tied)
        assert metrics["dcg"] == pytest.approx((1 + 1 / math.log2(3)) / 2)

    def test_roc_auc_is_the_mean_of_one_against_the_rest(self) -> None:
        # a: 0.5 against 0.6, 0.4: 1 of 2; b: 0.3 against 0.3, 0.4: 0.5 of 2;
        # c: 0.2 against 0.2, 0.1: 1.5 of 2
        assert self.metrics["roc_auc_macro"] == pytest.approx((0.5 + 0.25 + 0.75) / 3)


class TestTwoClasses:
    truth, pred = onehot(0, 0, 0, 1, 1, k=2), onehot(0, 0, 1, 1, 0, k=2)
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7], [0.6, 0.4]])

    def test_rates_are_of_the_positive_class(self) -> None:
        metrics = MC.evaluate(["ham", "spam"], self.truth, self.pred, self.probs, positive="spam")
        assert metrics["specificity"] == pytest.approx(2 / 3)
        assert metrics["fall_out"] == pytest.approx(1 / 3)
        assert metrics["miss_rate"] == pytest.approx(1 / 2)
        assert metrics["roc_auc"] == pytest.approx(5 / 6)
        assert metrics["average_precision"] == pytest.approx((1 / 1 + 2 / 3) / 2)
        assert {n for n in metrics if n.endswith("_macro")} == {"precision_macro", "f1_macro"}

    def test_without_a_positive_class_no_metric_is_balanced_accuracy_again(self) -> None:
        metrics = MC.evaluate(["ham", "spam"], self.truth, self.pred)
        assert "specificity_macro" not in metrics
        assert "specificity" not in metrics

    def test_a_positive_class_of_another_task_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'eggs' needs a multiclass task of two classes that has it"):
            MC.evaluate(["ham", "spam"], self.truth, self.pred, positive="eggs")


class TestMultilabelByHand:
    # a: tp 1 fp 1 fn 0 tn 2; b: tp 1 fp 0 fn 1 tn 2; c: tp 0 fp 0 fn 0 tn 4
    truth = rows("110", "010", "000", "000")
    pred = rows("110", "000", "100", "000")
    metrics = ML.evaluate(["a", "b", "c"], truth, pred)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("subset_accuracy", 2 / 4),
            ("hamming_loss", 2 / 12),
            ("precision_micro", 2 / 3),
            ("recall_micro", 2 / 3),
            ("f1_micro", 4 / 6),
            ("precision_macro", (1 / 2 + 1) / 2),
            ("recall_macro", (1 + 1 / 2) / 2),
            ("f1_macro", (2 / 3 + 2 / 3) / 2),
            ("precision_weighted", (1 * 1 / 2 + 2 * 1) / 3),
            ("f1_weighted", 2 / 3),
            ("f1_samples", (1 + 0 + 0 + 1) / 4),
            ("precision_samples", 2 / 4),
            ("recall_samples", 2 / 4),
            ("mcc/a", (1 * 2 - 1 * 0) / math.sqrt(2 * 1 * 3 * 2)),
            ("mcc_macro", (2 / math.sqrt(12) + (1 * 2) / math.sqrt(1 * 2 * 2 * 3)) / 2),
            ("specificity_macro", (2 / 3 + 1 + 1) / 3),
            ("fall_out_macro", 1 / 9),
            ("miss_rate_macro", 1 / 4),
            ("balanced_accuracy_macro", ((1 + 2 / 3) / 2 + (1 / 2 + 1) / 2) / 2),
        ],
    )
    def test_value(self, name: str, value: float) -> None:
        assert self.metrics[name] == pytest.approx(value)

    def test_a_class_that_never_occurs_has_no_metrics(self) -> None:
        assert not [name for name in self.metrics if name.endswith("/c")]

    def test_probabilities(self) -> None:
        probs = np.array([[0.9, 0.8, 0.1], [0.2, 0.4, 0.1], [0.6, 0.2, 0.1], [0.1, 0.2, 0.1]])
        metrics = ML.evaluate(["a", "b", "c"], self.truth, self.pred, probs)
        assert metrics["roc_auc/a"] == 1.0
        assert metrics["roc_auc_macro"] == 1.0
        assert "roc_auc/c" not in metrics
        a = math.log(0.9) + math.log(0.8) + math.log(0.4) + math.log(0.9)
        b = math.log(0.8) + math.log(0.4) + 2 * math.log(0.8)
        assert metrics["log_loss"] == pytest.approx(-(a + b + 4 * math.log(0.9)) / 12)
        # rows 1 and 2 have labels: places 1 and 2, then place 1
        assert metrics["dcg"] == pytest.approx((1 + 1 / math.log2(3) + 1) / 2)
        assert metrics["ndcg"] == pytest.approx(1.0)

    def test_nothing_true_and_nothing_predicted(self) -> None:
        nothing = np.zeros((2, 2), dtype=np.int8)
        metrics = ML.evaluate(["a", "b"], nothing, nothing, np.full((2, 2), 0.25))
        assert metrics["f1_samples"] == 1.0
        assert metrics["subset_accuracy"] == 1.0
        undefined = {"f1_micro", "recall_macro", "mcc_macro", "roc_auc_macro", "ndcg", "miss_rate_macro"}
        assert not undefined & set(metrics)


def test_no_rows_give_no_metrics() -> None:
    assert MC.evaluate(["a", "b"], np.zeros((0, 2), np.int8), np.zeros((0, 2), np.int8)) == {}


def test_one_true_class_leaves_out_what_needs_two() -> None:
    probs = np.array([[0.9, 0.1], [0.4, 0.6]])
    metrics = MC.evaluate(["a", "b"], onehot(0, 0, k=2), onehot(0, 1, k=2), probs)
    assert "mcc" not in metrics
    assert "roc_auc_macro" not in metrics
    assert metrics["accuracy"] == 0.5


def test_certain_and_wrong_probabilities_give_a_finite_log_loss() -> None:
    metrics = MC.evaluate(["a", "b"], onehot(0, k=2), onehot(1, k=2), np.array([[0.0, 1.0]]))
    assert metrics["log_loss"] == pytest.approx(36.04365)  # -log of float64's epsilon


@pytest.mark.parametrize(
    ("problem", "true", "pred", "probs", "message"),
    [
        (MC, rows("11"), rows("10"), None, "y_true has rows without exactly one class"),
        (MC, rows("10"), rows("00"), None, "y_pred has rows without exactly one class"),
        (ML, rows("10"), rows("20"), None, "y_pred has values other than 0 and 1"),
        (ML, rows("10"), rows("101"), None, r"y_pred has shape \(1, 3\); expected \(n, 2\)"),
        (ML, rows("10"), rows("10", "10"), None, "y_true has 1 rows and y_pred 2; expected as many"),
        (ML, rows("10"), rows("10"), np.array([[0.5, math.nan]]), "probs has values outside 0 to 1, or NaN"),
        (ML, rows("10"), rows("10"), np.array([[0.5]]), r"probs has shape \(1, 1\); expected \(1, 2\)"),
        (MC, rows("10"), rows("10"), np.array([[0.5, 0.4]]), "probs has rows that do not sum to 1"),
    ],
)
def test_wrong_input_is_named(
    problem: ProblemType, true: Matrix, pred: Matrix, probs: npt.NDArray[np.float64] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        problem.evaluate(["a", "b"], true, pred, probs)


def test_metric_names_are_those_that_mlflow_takes() -> None:
    names = metric_names(["left-wing", "a/b", "a&b", "..", "vögel", "x" * 300])
    assert names[:2] == ["left-wing", "a_b:1"]
    assert len(set(names)) == 6
    for name in names:
        _validate_metric_name(f"gold_average_precision/{name}")  # type: ignore[no-untyped-call]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Matrix, Matrix, npt.NDArray[np.float64]]:
    n, k, seed = draw(st.integers(1, 12)), draw(st.integers(2, 4)), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    density = draw(st.sampled_from([0.1, 0.5, 0.9]))
    probs = rng.integers(0, 5, (n, k)) / 4  # few values, so that ties are common
    return (
        (rng.random((n, k)) < density).astype(np.int8),
        (rng.random((n, k)) < density).astype(np.int8),
        probs,
    )


@given(problems())
def test_multilabel_agrees_with_scikit_learn(problem: tuple[Matrix, Matrix, npt.NDArray[np.float64]]) -> None:
    true, pred, probs = problem
    names = [f"c{i}" for i in range(true.shape[1])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = ML.evaluate(names, true, pred, probs)
    assert all(math.isfinite(value) for value in metrics.values())
    expected = {"subset_accuracy": sk.accuracy_score(true, pred), "hamming_loss": sk.hamming_loss(true, pred)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for average in ("micro", "weighted"):
            for i, name in enumerate(("precision", "recall", "f1")):
                expected[f"{name}_{average}"] = sk.precision_recall_fscore_support(
                    true, pred, average=average, zero_division=0
                )[i]
        for i, name in enumerate(names):
            expected[f"mcc/{name}"] = sk.matthews_corrcoef(true[:, i], pred[:, i])
            expected[f"roc_auc/{name}"] = sk.roc_auc_score(true[:, i], probs[:, i])
            expected[f"average_precision/{name}"] = sk.average_precision_score(true[:, i], probs[:, i])
        labelled = true.any(axis=1)
        if labelled.any():
            expected["dcg"] = sk.dcg_score(true[labelled], probs[labelled])
            expected["ndcg"] = sk.ndcg_score(true[labelled], probs[labelled])
    for name in expected.keys() & metrics.keys():
        assert metrics[name] == pytest.approx(expected[name]), name


@given(problems())
def test_multiclass_agrees_with_scikit_learn(problem: tuple[Matrix, Matrix, npt.NDArray[np.float64]]) -> None:
    a, _, scores = problem
    true, pred, k = a.argmax(axis=1), scores.argmax(axis=1), a.shape[1]
    probs = (scores + 0.1) / (scores + 0.1).sum(axis=1, keepdims=True)
    metrics = MC.evaluate([f"c{i}" for i in range(k)], onehot(*true, k=k), onehot(*pred, k=k), probs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": sk.accuracy_score(true, pred),
            "balanced_accuracy": sk.balanced_accuracy_score(true, pred),
            "f1_macro": sk.f1_score(true, pred, average="macro", zero_division=0),
            "precision_macro": sk.precision_score(true, pred, average="macro", zero_division=0),
            "precision_weighted": sk.precision_score(true, pred, average="weighted", zero_division=0),
            "f1_weighted": sk.f1_score(true, pred, average="weighted", zero_division=0),
            "log_loss": sk.log_loss(true, probs, labels=range(k)),
            "mcc": sk.matthews_corrcoef(true, pred),
            "dcg": sk.dcg_score(onehot(*true, k=k), probs),
        }
        for same, reported in SAME_IN_MULTICLASS.items():
            figure, _, average = same.partition("_")
            if figure in ("precision", "recall", "f1") and average != "macro":
                value = getattr(sk, f"{figure}_score")(true, pred, average=average, zero_division=0)
                assert value == pytest.approx(metrics[reported]), same
    for name in expected.keys() & metrics.keys():
        assert metrics[name] == pytest.approx(expected[name]), name
