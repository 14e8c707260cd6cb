"""Comparing strategies, and the sentence that says what it means."""

from pathlib import Path

import numpy as np
import pytest
from side_task import side, write

from adaptml.errors import ModelError
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.compare import Row, compare, verdict


def test_comparing_strategies(project: Project, task: Task, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(20, 60)), gold_label=side)
    wrong = write(tmp_path / "wrong.parquet", list(range(20)), label=lambda i: side(i + 1))
    done = compare(project, task, wrong, gold, soft_labels=False)  # its probabilities are right
    found = {row.strategy: row.metric for row in done.rows}
    assert found["gold"] == 1.0
    assert found["weak"] == 0.0
    assert list(found) == ["constant", "gold", "weak", "union", "stacked", "relabelled", "auto"]
    assert found["auto"] == 1.0  # of folds that did not choose
    assert 0 <= found["constant"] < 0.8
    assert (done.n_gold, done.n_weak, done.measure) == (40, 20, "f1_of_positive")
    assert done.frame.columns.tolist() == [
        "strategy", "trained_on", "f1_of_positive", "low", "high", "accuracy", "log_loss",
    ]  # fmt: skip
    assert done.sentence in done._repr_html_().replace("&#x27;", "'")
    with pytest.raises(ModelError, match=r"^5 gold points are too few to compare by; expected 10 or more$"):
        compare(project, task, wrong, write(tmp_path / "few.parquet", list(range(5)), gold_label=side))


def test_comparing_where_every_point_is_gold(project: Project, task: Task, data: str, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(40)), gold_label=side)
    done = compare(project, task, data, gold)
    assert [row.strategy for row in done.rows] == ["constant", "gold"]
    assert done.rows[1].metric == 1.0
    assert done.n_weak == 0
    assert done.sentence.startswith(
        "Every weakly labelled point is gold, so there is nothing to compare: gold alone"
    )


def test_the_verdict_rests_on_the_interval_of_the_gain() -> None:
    rows = [Row("gold", 0.6, 0, 1, 0, 1), Row("weak", 0.8, 0, 1, 0, 1)]
    gold = np.full(100, 0.6)
    table = [
        (gold + 0.2, "Weak supervision is worth it here (label-model labels only"),
        (gold - 0.2, "Weak supervision does harm here"),
        (np.linspace(0, 1, 100), "This gold set cannot tell"),
    ]
    for weak, beginning in table:
        assert verdict(rows, {"gold": gold, "weak": weak}).startswith(beginning)
    perfect = [Row("gold", 1.0, 1, 1, 1, 1), Row("weak", 1.0, 1, 1, 1, 1)]
    assert verdict(perfect, {"gold": gold, "weak": gold}).startswith("Gold is enough here")
