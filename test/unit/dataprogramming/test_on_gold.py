"""Every label model stands beside the constant one, with intervals: in metrics, in the sentence, on the page."""

import re

import numpy as np
import numpy.typing as npt
import pytest

from adaptml.tasks import MULTICLASS, MULTILABEL, Task
from adaptml.tasks.metrics import Metric, Outcome, constant
from dataprogramming.label_models.core import Gold
from dataprogramming.models_table import models_table
from dataprogramming.on_gold import OnGold, dev_metrics, on_gold, sentence_on_gold
from dataprogramming.selection import Selection

NAMES = ["ham", "spam", "other"]
MACRO_F1, ACCURACY, LOG_LOSS = (Metric(name, MULTICLASS) for name in ("macro_f1", "accuracy", "log_loss"))


def flags(*counts: int) -> npt.NDArray[np.int8]:
    """So many points of class 0, 1, 2."""
    return np.eye(3, dtype=np.int8)[np.repeat(np.arange(3), counts)]


GOLD = Gold(np.repeat([[0], [-1]], [95, 5], axis=0).astype(np.int8), flags(90, 10, 0))


def labelled_as(*counts: int) -> Outcome:
    return Outcome(0.8 * flags(*counts) + 0.2 / 3, flags(*counts))


def selection(metric: Metric, gold: Gold = GOLD) -> Selection:
    """`em` names spam on 8 of the 10 points that have it, `vote` on 20, of which 10 have it."""
    held_out = {"vote": labelled_as(80, 20, 0), "em": labelled_as(92, 8, 0)}
    return Selection(
        models={}, without={}, held_out=held_out, judged=held_out["em"], chosen="em", reason="", metric=metric,
        constant=constant(metric.problem, gold.Y, len(gold)),
    )  # fmt: skip


def found(metric: Metric) -> OnGold:
    figures = on_gold(selection(metric), GOLD, NAMES)
    assert figures is not None
    return figures


def test_the_metric_first_and_accuracy_beside_it() -> None:
    figures = found(MACRO_F1)
    rows = [*figures.models, figures.judged]
    assert [(row.name, row.title) for row in rows] == [
        ("constant", "always ham"), ("vote", "vote"), ("em", "em"), ("em", "em"),
    ]  # fmt: skip
    for row in rows:
        assert [metric.name for metric in row.figures] == ["macro_f1", "accuracy"]
        assert all(figure.low <= figure.value <= figure.high for figure in row.figures.values())
    assert [row.figures[ACCURACY].value for row in rows] == [0.9, 0.9, 0.98, 0.98]
    # F1 of ham 2 * 90 / (90 + 100), of spam 0; the third class is nobody's
    assert rows[0].figures[MACRO_F1].value == pytest.approx((180 / 190 + 0) / 2)
    assert rows[1].figures[MACRO_F1].value == pytest.approx((160 / 170 + 20 / 30) / 2)
    assert rows[2].log_loss == pytest.approx(-(98 * np.log(0.8 + 0.2 / 3) + 2 * np.log(0.2 / 3)) / 100)
    assert list(found(ACCURACY).judged.figures) == [ACCURACY]


def test_the_sentence() -> None:
    judged = found(MACRO_F1).judged.figures
    assert sentence_on_gold(found(MACRO_F1)) == (
        f"macro F1 {judged[MACRO_F1]}, accuracy {judged[ACCURACY]} by cross-validation on gold that had no say "
        "in the choice; always ham: macro F1 0.474, accuracy 0.900"
    )
    assert str(judged[ACCURACY]) == "0.980 (0.930 to 0.994)"  # Wilson's interval of 98 of 100


def test_metrics_of_every_model_and_the_ends_of_their_intervals() -> None:
    task = Task(name="mail", classes=NAMES)
    metrics = dev_metrics(task, GOLD, selection(MACRO_F1), found(MACRO_F1))
    assert (metrics["dev_points"], metrics["dev_coverage"]) == (100, 0.95)
    for name in ("dev_", "dev_constant/", "dev_vote/", "dev_em/"):
        for metric in ("f1_macro", "accuracy"):
            ends = [metrics[f"{name}{metric}{end}"] for end in ("_low", "", "_high")]
            assert ends == sorted(ends)
    assert metrics["dev_accuracy"] == metrics["dev_em/accuracy"] == 0.98
    assert metrics["dev_covered_accuracy"] == pytest.approx(93 / 95)  # the last 5 are without votes and right
    assert metrics["dev_constant/f1_macro"] == pytest.approx(90 / 190)


def test_in_multilabel_the_constant_names_one_class() -> None:
    Y = np.array([[1, 1], [1, 0], [1, 0], [0, 1]], np.int8)
    gold, metric = Gold(np.zeros((4, 1), np.int8), Y), Metric("f1_samples", MULTILABEL)
    said = Outcome(Y * 0.8, Y)
    chosen = Selection({}, {}, {"union": said}, said, constant(MULTILABEL, Y, 4), "union", "", metric)
    figures = on_gold(chosen, gold, ["cat", "dog"])
    assert figures is not None
    assert sentence_on_gold(figures) == (
        "F1 over samples 1.000 (1.000 to 1.000) by cross-validation on gold; always cat: F1 over samples 0.667"
    )


@pytest.mark.parametrize("metric", [MACRO_F1, ACCURACY, LOG_LOSS])
def test_the_table_of_the_page(metric: Metric) -> None:
    figures = found(metric)
    page = "".join(str(part) for part in models_table(figures))
    rows = re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1], re.DOTALL)
    assert "<caption>Label models on 100 gold points</caption>" in page
    assert f"What decides is {metric.title}, " in page
    for row, model in zip(rows, [*figures.models, figures.judged], strict=True):
        assert str(model.figures[metric]) in row
    assert "the choice, em" in rows[-1]
    assert "Macro F1" in "".join(str(part) for part in models_table(found(MACRO_F1)))
