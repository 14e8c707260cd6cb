"""Labels against gold, counted by hand."""

import re

import numpy as np
import pandas as pd

from adaptml.reports.confusion import confusion, distribution, gold_section, metrics_table
from adaptml.reports.html import joined
from adaptml.reports.rows import Limits, Points, Rows, Words, random_order

CLASSES = ["cat", "<b>", "owl"]


def one_hot(*classes: int) -> np.ndarray:
    return np.eye(3, dtype=np.int8)[list(classes)]


GOLD, LABEL = one_hot(0, 0, 0, 1, 1, 2), one_hot(0, 0, 1, 1, 0, 0)
KEYS = pd.DataFrame({"table_name": "t", "id": list("abcdef")})


def made(gold: np.ndarray, label: np.ndarray, multilabel: bool) -> str:
    found = confusion("gold", gold, label, CLASSES, multilabel, random_order(len(gold), 0))
    rows = Rows({"gold": Points(KEYS[: len(gold)], None, label, None, gold)}, Words(), None, Limits(), 0)
    return joined(part for part in gold_section(found, rows, "the model") if part is not None)


def test_multiclass_counts() -> None:
    found = confusion("gold", GOLD, LABEL, CLASSES, False, random_order(6, 0))
    assert found.counts.tolist() == [[1, 1, 1], [2, 1, 0], [2, 1, 0]]  # missed, wrongly given, right
    assert found.matrix is not None
    assert found.matrix.tolist() == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]
    assert found.all_right == 3
    assert {cell: sorted(b.drawn.tolist()) for cell, b in found.by_cell.items()} == {
        (0, 0): [0, 1],
        (0, 1): [2],
        (1, 0): [4],
        (1, 1): [3],
        (2, 0): [5],
    }
    missed, wrongly, right = ([sorted(b.drawn.tolist()) for b in kind] for kind in found.by_class)
    assert (missed, wrongly, right) == ([[2], [4], [5]], [[4, 5], [2], []], [[0, 1], [3], []])


def test_multilabel_counts() -> None:
    gold, label = np.array([[1, 1, 0], [0, 0, 0]], np.int8), np.array([[1, 0, 1], [0, 0, 0]], np.int8)
    found = confusion("gold", gold, label, CLASSES, True, random_order(2, 0))
    assert found.counts.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert found.all_right == 1
    assert found.matrix is None
    assert "1 of 2 gold points have exactly their gold classes by the model: 0.500" in made(gold, label, True)


def test_the_section_has_intervals_and_a_bucket_for_every_link() -> None:
    page = made(GOLD, LABEL, False)
    assert "3 of 6 gold points have their gold class by the model: 0.500" in page
    assert "0.667 [0.208, 0.939]" in page  # recall of cat: 2 of 3
    assert "0.500 [0.150, 0.850]" in page  # its precision: 2 of 4
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert "class-0-missed" in links
    assert "class-2-right" not in links
    assert links == set(re.findall(r'<details id="([^"]+)" class="bucket"', page))
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_many_classes_have_no_matrix() -> None:
    names = [f"class {c}" for c in range(13)]
    gold = np.eye(13, dtype=np.int8)
    assert confusion("gold", gold, gold, names, False, random_order(13, 0)).matrix is None


def test_no_gold_points_are_no_error() -> None:
    none = np.empty((0, 3), np.int8)
    assert "0 of 0 gold points" in made(none, none, False)


def test_distribution_leaves_out_what_has_no_points() -> None:
    counts = np.array([1, 3, 0])
    chart = distribution(CLASSES, [("labels", counts, 4, False), ("gold", counts, 0, True)])
    assert chart is not None
    assert "cat, labels, 4 points: 1 (25.0%)" in chart
    assert "gold" not in chart
    assert distribution(CLASSES, []) is None


def test_metrics() -> None:
    shown = metrics_table({"f1/<b>": 0.25, "accuracy": 0.5})
    assert shown is not None
    assert "f1/&lt;b&gt;" in shown
    assert shown.index("accuracy") < shown.index("f1")
    assert metrics_table({}) is None
