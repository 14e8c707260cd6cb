"""The page of a labelling run: its counts equal a count by hand, its rows are the right ones, all is escaped."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprogramming.report import GoldPoints, LabelledPoints, label_report

CLASSES = ["ham", "spam"]
LFS = ["a", "b", "c"]
# Rows: a and b agree; they differ; only a; none; only b.
L = np.array([[1, 1, -1], [1, 0, -1], [1, -1, -1], [-1, -1, -1], [-1, 0, -1]], np.int8)
PROBS = np.array([[0.1, 0.9], [0.5, 0.5], [0.2, 0.8], [0.5, 0.5], [0.7, 0.3]])
LABELS = np.eye(2, dtype=np.int8)[[1, 0, 1, 0, 0]]


def keys(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": list(ids)})


POINTS = LabelledPoints(keys("p0", "p1", "p2", "p3", "p4"), L, PROBS, LABELS)
GOLD = GoldPoints(
    keys("g0", "g1", "p2"),
    np.array([[1, 1, -1], [1, 0, -1], [1, -1, -1]], np.int8),
    np.eye(2, dtype=np.int8)[[1, 0, 0]],
    np.array([[0.1, 0.9], [0.4, 0.6], [0.9, 0.1]]),
    np.eye(2, dtype=np.int8)[[1, 1, 0]],
)


def texts(asked: pd.DataFrame) -> pd.DataFrame:
    return asked.assign(text="text of " + asked["id"])


def report(points: LabelledPoints = POINTS, gold: GoldPoints | None = GOLD, **options: Any) -> str:
    given_options = {"multilabel": False, "read_texts": texts} | options
    return label_report("Labels", LFS, CLASSES, points, gold, **given_options)


def test_keywords_with_their_rows_the_fewest_first() -> None:
    assert "counted on" not in report()
    page = report(keyword_hits={"a": {"<b>": 5, "win": 0}, "b": {"cat": 2}}, keyword_points=1234)
    (found,) = re.findall(r"<caption>3 keywords, counted on 1,234 rows</caption>.*?</table>", page, re.DOTALL)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", found, re.DOTALL)
    assert cells == ["win", "a", "0", "cat", "b", "2", "&lt;b&gt;", "a", "5"]


def data(page: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="rows">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def ids(page: str, anchor: str) -> list[str]:
    """The ids of a bucket's rows."""
    (numbers,) = re.findall(rf'<details id="{anchor}" class="bucket" data-rows="([\d ]*)"', page)
    rows = data(page)["rows"]
    return sorted(rows[int(number)][1] for number in numbers.split())


def lines(page: str) -> list[list[str]]:
    """The cells of the table of labelling functions, as text."""
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    cells = [re.findall(r"<td.*?</td>", line, re.DOTALL) for line in body.split("</tr>")[:-1]]
    return [[re.sub(r"<title>.*?</title>|<[^>]*>", "", cell).strip() for cell in line] for line in cells]


def test_the_table_of_labelling_functions() -> None:
    assert lines(report(weights=np.array([0.9, 0.8, 0.5]))) == [
        ["a", "spam", "60.0%", "40.0%", "20.0%", "1", "2", "0.333 [0.061, 0.792]", "0.90"],
        ["b", "ham, spam", "60.0%", "40.0%", "20.0%", "2", "0", "1.000 [0.342, 1.000]", "0.80"],
        ["c", "–", "0.0%", "0.0%", "0.0%", "0", "0", "–", "0.50"],
    ]
    assert [line[:5] for line in lines(report(gold=None))] == [
        ["a", "spam", "60.0%", "40.0%", "20.0%"],
        ["b", "ham, spam", "60.0%", "40.0%", "20.0%"],
        ["c", "–", "0.0%", "0.0%", "0.0%"],
    ]


def test_the_rows_behind_each_number() -> None:
    page = report()
    assert ids(page, "lf-0-votes") == ["p0", "p1", "p2"]
    assert ids(page, "lf-0-overlaps") == ["p0", "p1"]
    assert ids(page, "lf-0-conflicts") == ids(page, "lf-1-conflicts") == ["p1"]
    assert ids(page, "lf-0-wrong") == ["g1", "p2"]
    assert ids(page, "lf-0-right") == ["g0"]
    assert ids(page, "lf-1-right") == ["g0", "g1"]
    assert ids(page, "uncovered") == ["p3"]
    assert ids(page, "disagreements") == ["p1"]
    assert ids(page, "class-1-wrongly") == ids(page, "cell-0-1") == ["g1"]


def test_every_link_leads_somewhere_and_nothing_comes_from_elsewhere() -> None:
    page = report(lines=[("artifacts", "http://elsewhere.example")], weights=np.ones(3))
    targets = set(re.findall(r' id="([^"]+)"', page))
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert links
    assert {link for link in links if link.removeprefix("#") not in targets} == set()
    assert not re.search(r'(href|src)="?\s*(https?:)?//', page)


def test_a_row_carries_its_text_votes_gold_and_label() -> None:
    rows = {(row[1], row[5] is None): row for row in data(report())["rows"]}
    assert rows["p0", False] == ["posts", "p0", ["text of p0"], [0, 1, 1, 1], None, [1], [1, 0.9, 0, 0.1]]
    assert rows["p3", True][3:6] == [[], None, None]  # no votes, not gold, no label
    assert rows["g1", False] == ["posts", "g1", ["text of g1"], [0, 1, 1, 0], [0], [1], [1, 0.6, 0, 0.4]]
    assert [row[4] for row in data(report())["rows"] if row[1] == "p2"] == [[0], [0]]  # gold, wherever shown


def test_labels_against_gold() -> None:
    page = report()
    assert "2 of 3 gold points have their gold class by the label model: 0.667" in page
    assert "labels, 4 points" in page
    assert "ham, labels, 4 points: 2 (50.0%)" in page
    assert "spam, gold, 3 points: 1 (33.3%)" in page
    assert "0.50 to 0.55: 1; 0.70 to 0.75: 1; 0.80 to 0.85: 1; 0.90 to 0.95: 1" in page  # p3 has no vote
    assert "a and b both vote on 2 rows (66.7% of the rows of a), on 1 for different classes" in page
    assert "Against gold" not in report(gold=None)


def test_without_texts_none_is_in_the_page() -> None:
    page = report(read_texts=None)
    assert "text of" not in page
    assert "made without the texts" in page
    assert data(page)["columns"] == []
    assert "text of p0" in report()


def test_lines_and_warnings_are_in_the_page() -> None:
    page = report(lines=[("label model", "majority <vote>")], warnings=["LF c never votes & more"])
    assert "<dt>label model</dt><dd>majority &lt;vote&gt;</dd>" in page
    assert "LF c never votes &amp; more" in page


EVIL = "</script><b>\"'&"


def test_every_name_and_text_is_escaped() -> None:
    frame = pd.DataFrame({"table_name": EVIL, "id": [f"{i}{EVIL}" for i in range(5)]})
    gold = pd.DataFrame({"table_name": EVIL, "id": [f"g{i}{EVIL}" for i in range(3)]})
    page = label_report(
        EVIL,
        [f"{name}{EVIL}" for name in LFS],
        [f"{name}{EVIL}" for name in CLASSES],
        LabelledPoints(frame, L, PROBS, LABELS),
        GoldPoints(gold, GOLD.L, GOLD.Y, GOLD.probs, GOLD.labels),
        multilabel=False,
        read_texts=lambda asked: asked.assign(**{EVIL: EVIL}),
        lines=[(EVIL, EVIL)],
        warnings=[EVIL],
    )
    assert EVIL not in page
    assert "<b>" not in page
    assert page.count("</script>") == 2
    found = data(page)
    assert found["voters"] == [f"{name}{EVIL}" for name in LFS]
    assert {row[2][0] for row in found["rows"]} == {EVIL}


def many(n: int, seed: int = 0) -> LabelledPoints:
    rng = np.random.default_rng(seed)
    votes = np.where(rng.random((n, 3)) < 0.4, rng.integers(0, 2, (n, 3)), -1).astype(np.int8)
    probs = rng.random(n)
    return LabelledPoints(
        keys(*map(str, range(n))),
        votes,
        np.stack([probs, 1 - probs], axis=1),
        np.eye(2, dtype=np.int8)[rng.integers(0, 2, n)],
    )


def test_at_most_200_rows_a_bucket_with_the_true_count_and_only_their_texts_are_read() -> None:
    asked: list[str] = []

    def read(some: pd.DataFrame) -> pd.DataFrame:
        asked.extend(some["id"])
        return texts(some)

    points = many(3000)
    page = report(points, None, read_texts=read, seed=5)
    total = int((points.cast[:, 0] >= 0).sum())
    assert f'a: rows it votes on <span class="count">200 of {total:,} rows, drawn with seed 5</span>' in page
    assert len(ids(page, "lf-0-votes")) == 200
    assert len(asked) == len(set(asked)) == len(data(page)["rows"]) < 1500


def test_same_seed_same_page() -> None:
    points = many(1000)
    assert report(points, seed=3) == report(points, seed=3)
    assert ids(report(points, seed=3), "lf-0-votes") != ids(report(points, seed=4), "lf-0-votes")


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_the_numbers_of_the_table_and_the_rows_behind_them_agree(n: int, seed: int) -> None:
    points = many(n, seed)
    page = report(points, None)
    for j, line in enumerate(lines(page)):
        votes = [row for row in range(n) if points.cast[row, j] >= 0]
        assert line[2] == f"{len(votes) / n:.1%}"
        if votes:
            assert ids(page, f"lf-{j}-votes") == sorted(map(str, votes))


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_rows_are_no_error(n: int) -> None:
    points = LabelledPoints(POINTS.keys[:n], L[:n], PROBS[:n], LABELS[:n])
    assert f"{n} data points" in report(points, None)


def test_a_multilabel_page_says_that_differing_votes_may_both_be_right() -> None:
    assert "both may be right" in report(multilabel=True)
    assert "both may be right" not in report()
