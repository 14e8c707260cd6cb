"""The summary of labelling functions equals Snorkel's; every warning names what it is about."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from snorkel.labeling import LFAnalysis

from dataprogramming.analysis import find_problems, lf_summary
from dataprogramming.label_models.core import Gold

CLASSES = ["cat", "dog", "owl"]


@given(
    hnp.arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-1, 2)),
    st.integers(0, 10**6),
)
def test_equals_snorkels_summary(L: np.ndarray, seed: int) -> None:
    truth = np.random.default_rng(seed).integers(0, 3, len(L))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy and scikit-learn, inside Snorkel
        expected = LFAnalysis(L.astype(int)).lf_summary(truth)
    names = [f"lf{j}" for j in range(L.shape[1])]
    summary = lf_summary(L, names, CLASSES, np.ones(L.shape[1]), np.eye(3, dtype=np.int8)[truth])
    polarity = [", ".join(CLASSES[c] for c in found) for found in expected["Polarity"]]
    assert summary["polarity"].tolist() == polarity
    for ours, theirs in (("coverage", "Coverage"), ("overlaps", "Overlaps"), ("conflicts", "Conflicts")):
        np.testing.assert_allclose(summary[ours], expected[theirs])
    assert summary["correct"].tolist() == expected["Correct"].tolist()
    assert summary["incorrect"].tolist() == expected["Incorrect"].tolist()
    voted = summary["coverage"] > 0
    np.testing.assert_allclose(
        summary["empirical_accuracy"][voted], expected["Emp. Acc."].to_numpy()[voted.to_numpy()]
    )
    assert summary["empirical_accuracy"][~voted].isna().all()


def test_summary_without_gold() -> None:
    summary = lf_summary(np.array([[0, 1], [0, -1]], np.int8), ["a", "b"], CLASSES, np.array([0.9, 0.8]))
    assert summary.to_dict("list") == {
        "lf": ["a", "b"],
        "polarity": ["cat", "dog"],
        "coverage": [1.0, 0.5],
        "overlaps": [0.5, 0.5],
        "conflicts": [0.5, 0.5],
        "learned_weight": [0.9, 0.8],
    }


# Ten points; every column is one LF.
EVEN = [0, 1, 2, -1, -1, -1, -1, -1, -1, -1]
ODD = [1, -1, 0, 2, -1, -1, -1, -1, -1, -1]
THIRD = [-1, 2, -1, 0, 1, -1, -1, -1, -1, -1]
SILENT = [-1] * 10
BROAD = [0, 0, 0, 0, 0, 0, 1, 2, -1, -1]
TWIN = [0, 0, 1, 1, 2, -1, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ([EVEN, ODD], "there are fewer than 3 labelling functions (2): write more of them"),
        ([EVEN, ODD, THIRD, SILENT], "labelling function lf3 never votes: look at what it looks for"),
        (
            [SILENT, EVEN, ODD, THIRD, SILENT],
            "labelling functions lf0, lf4 never vote: look at what each looks for",
        ),
        (
            [EVEN, ODD, BROAD],
            "labelling function lf2 votes on 80% of the points, more than 50%: a rule that general is seldom right",
        ),
        (
            [TWIN, EVEN, TWIN],
            "labelling functions lf0 and lf2 always agree (5 votes): one of them adds nothing but the weight of "
            "the other",
        ),
        (
            [[0, 1, -1, -1, -1], [1, -1, -1, 0, -1], [-1, -1, 1, -1, -1]],
            "no labelling function votes for owl on any point: write one",
        ),
    ],
)
def test_problems_of_labelling_functions(columns: list[list[int]], problem: str) -> None:
    L = np.array(columns, np.int8).T
    assert find_problems(L, None, [f"lf{j}" for j in range(len(columns))], CLASSES) == [problem]


@given(
    hnp.arrays(np.int8, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=st.integers(-1, 1)),
    st.lists(st.integers(0, 3), max_size=4),
)
def test_twins_vote_alike_wherever_one_of_them_votes(L: np.ndarray, copied: list[int]) -> None:
    L = np.hstack([L, L[:, [j % L.shape[1] for j in copied]]])
    names = [f"lf{j}" for j in range(L.shape[1])]
    expected = []
    for i, j in combinations(range(len(names)), 2):
        rows = (L[:, i] >= 0) | (L[:, j] >= 0)
        if rows.sum() >= 5 and (L[rows, i] == L[rows, j]).all():
            expected.append(f"labelling functions lf{i} and lf{j} always agree ({rows.sum()} votes)")
    found = [
        line.partition(":")[0] for line in find_problems(L, None, names, CLASSES) if "always agree" in line
    ]
    assert found == expected


def test_rules_that_repeat_each_other_are_named() -> None:
    """`in` has every second vote of `a`; 95 of the 100 votes of `b` are those of `near`, and the other way round."""
    L = np.full((2000, 5), -1, np.int8)
    for j, rows in enumerate(
        (range(0, 400, 2), range(0, 400, 4), range(1, 201, 2), range(11, 211, 2), range(601, 801, 2))
    ):
        L[list(rows), j] = 1 if j < 2 else 0
    found = find_problems(L, None, ["a", "in", "b", "near", "else"], CLASSES[:2])
    advice = "they are hardly two opinions; merge them, or look for something else with one of them"
    assert found == [
        f"100% of the votes of labelling function in are cast by a too: {advice}",
        f"95% of the votes of labelling function b are cast by near too, and the other way round: {advice}",
    ]


def test_five_pairs_that_repeat_each_other_are_named_and_the_others_counted() -> None:
    """Four rules that differ in one vote each are six pairs."""
    L = np.full((2000, 4), -1, np.int8)
    for j in range(4):
        L[[*range(0, 400, 2), 401 + 2 * j], j] = 1
    found = find_problems(L, None, list("abcd"), CLASSES[:2])
    assert len([line for line in found if "hardly two opinions" in line]) == 5
    assert found[-1] == "1 more pair of labelling functions of which one repeats the other so"


def test_problems_on_gold() -> None:
    L = np.array([EVEN, ODD, THIRD], np.int8).T
    bad = [0, 0, 0, 0, 1, -1, -1, -1, -1, -1]
    gold = Gold(
        np.array([bad, EVEN, ODD], np.int8).T, np.eye(3, dtype=np.int8)[[1, 1, 1, 0, 0, 0, 0, 0, 0, 0]]
    )
    assert find_problems(L, gold, ["bad", "b", "c"], CLASSES) == [
        "no gold point has the class owl: annotate some, nothing is known of it",
        "labelling function bad is worse than chance on gold: 1 of 5 votes are right (20%); on gold points drawn "
        "at random, 62% would be",
    ]


def test_nothing_to_complain_about() -> None:
    L = np.array([EVEN, ODD, THIRD], np.int8).T
    right = Gold(
        np.array([[0, 1, 2, -1], [0, -1, -1, 1], [-1, 1, 2, 1]], np.int8).T,
        np.eye(3, dtype=np.int8)[[0, 1, 2, 1]],
    )
    assert find_problems(L, right, ["a", "b", "c"], CLASSES) == []
