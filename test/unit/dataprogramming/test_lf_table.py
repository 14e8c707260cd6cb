"""The table of labelling functions: counts, intervals, changes, and how it looks in a terminal."""

from io import StringIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rich.console import Console
from rich.table import Table

from adaptml.tasks.vote_codes import VoteCodes
from dataprogramming import lf_table as module
from dataprogramming.label_models.core import Gold
from dataprogramming.lf_table import (
    as_rich_table,
    count_pairs,
    count_votes,
    lf_table,
    removed,
    with_change,
)

CLASSES = ["ham", "spam", "other"]
# Rows: a agrees with b; a differs from b; only a; only c; none.
L = np.array([[1, 1, -1], [1, 0, -1], [1, -1, -1], [-1, -1, 2], [-1, -1, -1]], np.int8)
GOLD = Gold(
    np.array([[1, 1, -1], [1, 0, -1], [1, -1, -1], [1, -1, -1]], np.int8),
    np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]], np.int8),
)
matrices = hnp.arrays(np.int8, st.tuples(st.integers(1, 30), st.integers(1, 5)), elements=st.integers(-1, 2))


def test_worked_out_by_hand() -> None:
    table = lf_table(L, ["a", "b", "c"], CLASSES, weights=np.array([0.9, 0.8, 0.7]), gold=GOLD)
    assert table["lf"].tolist() == ["a", "b", "c"]
    assert table["polarity"].tolist() == ["spam", "ham, spam", "other"]
    assert table["votes"].tolist() == [3, 2, 1]
    assert table["coverage"].tolist() == [0.6, 0.4, 0.2]
    assert table["n_overlaps"].tolist() == [2, 2, 0]
    assert table["overlaps"].tolist() == [0.4, 0.4, 0]
    assert table["n_conflicts"].tolist() == [1, 1, 0]
    assert table["conflicts"].tolist() == [0.2, 0.2, 0]
    assert table["learned_weight"].tolist() == [0.9, 0.8, 0.7]
    assert table["correct"].tolist() == [3, 1, 0]
    assert table["incorrect"].tolist() == [1, 1, 0]
    assert table["empirical_accuracy"].tolist()[:2] == [0.75, 0.5]
    # Wilson, 3 of 4: (0.75 + 0.48018) / 1.96037 = 0.62753; 1.95996 / 1.96037 · √(0.046875 + 0.0600227) = 0.32689
    assert table.loc[0, ["accuracy_low", "accuracy_high"]].tolist() == pytest.approx(
        [0.3006, 0.9544], abs=1e-4
    )
    assert table.loc[2, ["empirical_accuracy", "accuracy_low", "accuracy_high"]].isna().all()


def test_without_weights_and_gold_there_are_no_such_columns() -> None:
    assert lf_table(L, ["a", "b", "c"], CLASSES).columns.tolist() == [
        "lf",
        "polarity",
        "votes",
        "coverage",
        "overlaps",
        "conflicts",
        "n_overlaps",
        "n_conflicts",
    ]


def test_no_rows_give_zeros() -> None:
    table = lf_table(np.empty((0, 2), np.int8), ["a", "b"], CLASSES)
    assert table[["votes", "coverage", "overlaps", "conflicts"]].to_numpy().tolist() == [[0, 0, 0, 0]] * 2


@given(matrices, st.integers(1, 7))
def test_counts_equal_a_count_row_by_row(votes: np.ndarray, batch_rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH_ROWS", batch_rows)  # borders of batches change nothing
        counts = count_votes(votes, VoteCodes(3))
        together, apart = count_pairs(votes, counts.by_code, VoteCodes(3))
    m = votes.shape[1]
    given_votes = [[c for c in row if c >= 0] for row in votes.tolist()]
    for j in range(m):
        mine = [(row[j], cast) for row, cast in zip(votes.tolist(), given_votes, strict=True) if row[j] >= 0]
        assert counts.votes[j] == len(mine)
        assert counts.by_code[j].tolist() == [sum(c == vote for vote, _ in mine) for c in range(3)]
        assert counts.overlaps[j] == sum(len(cast) > 1 for _, cast in mine)
        assert counts.conflicts[j] == sum(len(set(cast)) > 1 for _, cast in mine)
        for i in range(m):
            both = [(row[i], row[j]) for row in votes.tolist() if row[i] >= 0 and row[j] >= 0]
            assert together[i, j] == len(both)
            assert apart[i, j] == sum(one != other for one, other in both)
    assert counts.uncovered == sum(not cast for cast in given_votes)
    assert counts.disagreements == sum(len(set(cast)) > 1 for cast in given_votes)
    assert VoteCodes(3).disagree(votes).tolist() == [len(set(cast)) > 1 for cast in given_votes]


def test_change_since_the_last_look() -> None:
    names = ["a", "b", "c"]
    before = lf_table(L, ["a", "b", "gone"], CLASSES, gold=GOLD)
    edited, judged = L.copy(), GOLD.L.copy()
    edited[3:, 0], judged[3, 0] = 2, -1  # a votes on two rows more, and no longer on the point it has wrong
    now = lf_table(edited, names, CLASSES, gold=Gold(judged, GOLD.Y))
    assert with_change(now, before)["change"].tolist() == [
        "coverage 60.0% → 100.0%; right 3 of 4 → 3 of 3",
        "",
        "new",
    ]
    assert removed(now, before) == ["gone"]
    assert removed(now, now) == []


def test_a_look_without_gold_can_be_compared_with_one_that_had_it() -> None:
    with_gold, without = lf_table(L, list("abc"), CLASSES, gold=GOLD), lf_table(L, list("abc"), CLASSES)
    assert with_change(without, with_gold)["change"].tolist() == ["", "", ""]


def printed(table: Table, width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal_table_aligns(width: int) -> None:
    names = ["[bold]a[/bold]", "a_long_name_of_a_labelling_function", "c"]
    table = lf_table(L, names, CLASSES, weights=np.array([0.9, 0.8, 0.7]), gold=GOLD)
    *lines, _ = printed(as_rich_table(table), width)
    assert {len(line) for line in lines} == {len(lines[0])}
    assert len(lines[0]) <= width
    borders = [[i for i, sign in enumerate(line) if sign in "│┃"] for line in lines if line[0] in "│┃"]
    assert all(places == borders[0] for places in borders)


def test_the_terminal_table_says_what_the_frame_says() -> None:
    table = lf_table(L, ["[bold]a[/bold]", "b", "c"], CLASSES, weights=np.array([0.9, 0.8, 0.7]), gold=GOLD)
    lines = printed(as_rich_table(with_change(table, table[:1])), 160)
    cells = [[cell.strip() for cell in line.strip("│┃").split("│")] for line in lines if line[0] == "│"]
    assert cells == [
        ["[bold]a[/bold]", "spam", "3", "60.0%", "40.0%", "20.0%", "3", "1", "0.75 [0.30, 0.95]", "0.90", ""],
        ["b", "ham, spam", "2", "40.0%", "40.0%", "20.0%", "1", "1", "0.50 [0.09, 0.91]", "0.80", "new"],
        ["c", "other", "1", "20.0%", "0.0%", "0.0%", "0", "0", "–", "0.70", "new"],
    ]
