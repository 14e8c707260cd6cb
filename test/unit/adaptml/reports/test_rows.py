"""Buckets: at most 200 rows, drawn by seed, with the true count; each row is stored once."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from adaptml.reports.rows import (
    CHUNK_ROWS,
    Bucket,
    Limits,
    Points,
    Rows,
    Words,
    draw,
    draw_masks,
    link,
    random_order,
)
from adaptml.reports.texts import Texts


def keys(n: int) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": [f"p{i}" for i in range(n)]})


def content(rows: Rows) -> dict[str, Any]:
    found = re.fullmatch(r'<script type="application/json" id="rows">(.*)</script>', rows.data(), re.DOTALL)
    assert found
    return json.loads(found[1])


@given(st.integers(0, 2000), st.integers(0, 9), st.integers(1, 300))
def test_a_draw_takes_as_many_as_there_are_up_to_the_most(n: int, seed: int, most: int) -> None:
    mask = np.random.default_rng(seed).random((n, 3)) < [0.02, 0.5, 1]
    for b, bucket in enumerate(draw_masks("data", random_order(n, seed), mask, most)):
        assert bucket.total == mask[:, b].sum()
        assert len(bucket.drawn) == len(set(bucket.drawn.tolist())) == min(most, bucket.total)
        assert mask[bucket.drawn, b].all()


def test_the_same_seed_draws_the_same_rows_and_another_one_others() -> None:
    mask = np.ones((1000, 1), bool)
    one, same, other = (draw_masks("data", random_order(1000, seed), mask)[0].drawn for seed in (0, 0, 1))
    assert one.tolist() == same.tolist()
    assert set(one.tolist()) != set(other.tolist())


def test_rows_that_are_rare_are_found_beyond_the_first_chunk() -> None:
    n = 2 * CHUNK_ROWS + 5
    order = np.arange(n)
    (bucket,) = draw("data", order, lambda rows: (rows == n - 1)[:, None], [1])
    assert bucket.drawn.tolist() == [n - 1]


def test_drawing_reads_no_more_than_it_needs() -> None:
    seen = []

    def mask_of(rows: np.ndarray) -> np.ndarray:
        seen.append(len(rows))
        return np.ones((len(rows), 1), bool)

    draw("data", np.arange(10 * CHUNK_ROWS), mask_of, [10 * CHUNK_ROWS])
    assert seen == [CHUNK_ROWS]


def test_buckets_that_overlap_share_their_rows() -> None:
    everything, half = draw_masks(
        "data", random_order(5000, 0), np.stack([np.ones(5000, bool), np.arange(5000) % 2 == 0], axis=1)
    )
    union = {*everything.drawn.tolist(), *half.drawn.tolist()}
    assert len(union) < 350  # 400 would be the sum; half of the first 200 are expected to be even


POINTS = Points(
    keys(3),
    votes=np.array([[0, -1, 1], [-1, -1, -1], [1, 1, 0]], np.int8),
    label=np.array([[1, 0], [1, 0], [0, 1]], np.int8),
    probs=np.array([[0.9, 0.1], [0.5, 0.5], [0.0004, 0.9996]]),
    has_label=np.array([True, False, True]),
)
GOLD = Points(keys(5)[2:].reset_index(drop=True), gold=np.array([[1, 0], [0, 1], [1, 1]], np.int8))
WORDS = Words(["a", "b", "c"], ["ham", "spam"], ["ham", "spam"])


def test_a_row_carries_key_votes_gold_label_and_probabilities() -> None:
    rows = Rows({"data": POINTS, "gold": GOLD}, WORDS, None, Limits(), 0)
    rows.bucket("all", "All", Bucket("data", np.array([2, 0, 1]), 3))
    found = content(rows)
    assert found["columns"] == []
    assert found["voters"] == ["a", "b", "c"]
    assert found["rows"] == [
        ["posts", "p0", None, [0, 0, 2, 1], None, [0], [0, 0.9, 1, 0.1]],
        ["posts", "p1", None, [], None, None, [0, 0.5, 1, 0.5]],
        ["posts", "p2", None, [0, 1, 1, 1, 2, 0], [0], [1], [1, 1.0]],  # gold's first point
    ]


def test_a_row_in_two_buckets_is_stored_once() -> None:
    rows = Rows({"data": POINTS, "gold": GOLD}, WORDS, None, Limits(), 0)
    first = rows.bucket("x", "X", Bucket("data", np.array([0, 2]), 2))
    second = rows.bucket("y", "Y", Bucket("data", np.array([2]), 1))
    third = rows.bucket("z", "Z", Bucket("gold", np.array([2]), 1))  # another set of points
    assert [re.findall(r'data-rows="([\d ]*)"', made) for made in (first, second, third)] == [
        ["0 1"],
        ["1"],
        ["2"],
    ]
    assert len(content(rows)["rows"]) == 3


def test_a_bucket_says_its_true_count_and_shows_no_more_than_the_limit() -> None:
    points = Points(keys(1000))
    rows = Rows({"data": points}, Words(), None, Limits(rows=50), seed=7)
    (bucket,) = draw_masks("data", random_order(1000, 7), np.ones((1000, 1), bool))
    made = rows.bucket("all", "All <i>", bucket)
    assert "50 of 1,000 rows, drawn with seed 7" in made
    assert "All &lt;i&gt;" in made
    assert len(content(rows)["rows"]) == 50
    assert "1 row<" in rows.bucket("one", "One", Bucket("data", np.array([3]), 1))


def test_rows_are_shown_by_place_or_by_rank() -> None:
    for rank, expected in ((None, ["p0", "p1", "p2"]), (np.array([3.0, 1.0, 2.0]), ["p1", "p2", "p0"])):
        rows = Rows({"data": Points(keys(3), rank=rank)}, Words(), None, Limits(), 0)
        rows.bucket("all", "All", Bucket("data", np.array([2, 0, 1]), 3))
        assert [row[1] for row in content(rows)["rows"]] == expected


def test_no_text_or_name_can_end_the_data() -> None:
    evil = '</script><script>alert("1")</script>&amp;<!--'
    frame = pd.DataFrame({"table_name": [evil], "id": ["'\"\u2028"]})
    rows = Rows(
        {"data": Points(frame, votes=np.array([[0]]))},
        Words([evil], [evil], [evil]),
        Texts(lambda asked: asked.assign(**{evil: evil})),
        Limits(),
        0,
    )
    rows.bucket("all", "All", Bucket("data", np.array([0]), 1))
    inner = rows.data().removeprefix('<script type="application/json" id="rows">').removesuffix("</script>")
    assert not set("<>&") & set(inner)
    assert json.loads(inner)["rows"][0][:3] == [evil, "'\"\u2028", [evil]]
    assert json.loads(inner)["columns"] == [evil]


def test_a_number_without_rows_leads_nowhere() -> None:
    assert link("x", 0) == "0"
    assert link("x", 1200) == '<a href="#x">1,200</a>'
    assert link("x", 3, "3 %") == '<a href="#x">3 %</a>'
