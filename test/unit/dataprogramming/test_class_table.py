"""How far rules reach each class."""

import numpy as np
import pandas as pd

from dataprogramming.class_table import class_table
from dataprogramming.votes import Votes

L = np.array([[0, 0, 1], [1, -1, 0], [-1, -1, -1], [-1, 1, -1]], np.int8)
Y = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], np.int8)


def votes(**more: object) -> Votes:
    keys = pd.DataFrame({"table_name": "posts", "id": list("1234")})
    return Votes(keys, L, ("a", "b", "c"), ("cat", "dog"), "pets", "multiclass", **more)  # type: ignore[arg-type]


def test_points_with_votes_for_a_class() -> None:
    # cat: wins the first point, shares the second; dog: shares the second, wins the fourth.
    assert class_table(votes()).to_dict("list") == {
        "class": ["cat", "dog"],
        "covered": [2, 3],
        "voted": [1.5, 1.5],
    }


def test_gold_points_that_have_a_vote_for_their_class() -> None:
    table = class_table(votes(gold=votes(Y=Y)))
    assert table[["gold", "found"]].to_numpy().tolist() == [[3, 1], [1, 1]]
