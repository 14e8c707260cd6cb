"""The rows behind each number."""

import numpy as np
import pandas as pd
import pytest

from adaptml.errors import LabellingError
from dataprogramming.buckets import Bucket, bucket
from dataprogramming.votes import Votes

#           a   b   c     rules; classes: 0 cat, 1 dog
L = np.array([
    [0, 0, -1],  # 1: a and b agree
    [0, 1, -1],  # 2: a and b differ
    [-1, -1, -1],  # 3: uncovered
    [-1, -1, 1],  # 4: c alone
    [0, -1, 1],  # 5: a and c differ
], np.int8)  # fmt: skip
Y = np.array([[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]], np.int8)


def votes(gold: bool) -> Votes:
    keys = pd.DataFrame({"table_name": "posts", "id": list("12345")})
    made = Votes(keys, L, ("a", "b", "c"), ("cat", "dog"), "pets", "multiclass")
    judged = Votes(keys, L, ("a", "b", "c"), ("cat", "dog"), "pets", "multiclass", Y=Y)
    return Votes(
        keys, L, made.lf_names, made.class_names, "pets", "multiclass", gold=judged if gold else None
    )


@pytest.mark.parametrize(
    ("which", "lf", "other", "label", "expected"),
    [
        ("all", None, None, None, "12345"),
        ("hits", "a", None, None, "125"),
        ("hits", "b", None, "dog", "2"),
        ("all", None, None, "dog", "245"),
        ("overlaps", "a", None, None, "125"),
        ("overlaps", "a", "c", None, "5"),
        ("conflicts", "a", None, None, "25"),
        ("conflicts", "a", "b", None, "2"),
        ("alone", "c", None, None, "4"),
        ("uncovered", None, None, None, "3"),
        ("disagreement", None, None, None, "25"),
        ("wrong", "a", None, None, "25"),
        ("wrong", None, None, None, "245"),
        ("right", "b", None, None, "12"),
        ("missed", None, None, None, "34"),
    ],
)
def test_a_bucket(which: str, lf: str | None, other: str | None, label: str | None, expected: str) -> None:
    source, mask = bucket(votes(gold=True), Bucket(which), lf, other, label)
    assert "".join(source.keys.loc[mask, "id"]) == expected
    assert (source.Y is not None) == (which in ("wrong", "right", "missed"))


@pytest.mark.parametrize(
    ("which", "lf", "label", "said"),
    [
        ("hits", None, None, "about a rule and none was named"),
        ("hits", "z", None, "no labelling function 'z'; expected one of a, b, c"),
        ("all", None, "cow", "no class 'cow'; expected one of cat, dog"),
        ("wrong", "a", None, "no gold points"),
    ],
)
def test_a_bucket_that_is_none(which: str, lf: str | None, label: str | None, said: str) -> None:
    with pytest.raises(LabellingError, match=said):
        bucket(votes(gold=False), Bucket(which), lf, None, label)
